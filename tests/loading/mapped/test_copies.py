"""Copies over a day of tests: each is pristine, and mappings are used again, not heaped up."""

import gc
import resource
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from loading.mapped.zoo import Block
from torch import nn

from pytest_potmodels.artifacts import state_checksum
from pytest_potmodels.loading.mapped import copies as module_under_test
from pytest_potmodels.loading.mapped.copies import MappedCopies
from pytest_potmodels.loading.mapped.likeness import first_difference
from pytest_potmodels.loading.mapped.written_pages import best_scan

KEPT: list[Any] = []
telling = pytest.mark.skipif(best_scan() is None, reason="nobody can tell written pages here")


def address(module: Any) -> int:
    at: int = module.first.weight.data_ptr()
    return at


def ruin(module: nn.Module) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(9)
    module.first = nn.Identity()


@pytest.fixture
def master() -> nn.Module:
    return Block()


@pytest.fixture
def copies(desk: Any, scan: Any, master: nn.Module) -> MappedCopies:
    made: MappedCopies = desk.copies(master, scan=scan)
    return made


def test_after_each_test_the_next_copy_is_pristine(copies: MappedCopies, master: Any) -> None:
    state = state_checksum(master.state_dict())
    for _ in range(20):
        copied = copies.copy()
        assert first_difference(copied, master) == ""
        ruin(copied)
        del copied
        copies.settle()
    assert state_checksum(master.state_dict()) == state


def test_copies_of_one_test_are_independent(copies: MappedCopies, master: Any) -> None:
    one, two = copies.copy(), copies.copy()
    ruin(one)
    three = copies.copy()
    assert first_difference(two, master) == first_difference(three, master) == ""


def test_a_copy_that_outlives_its_test_stays_as_that_left_it(
    copies: MappedCopies, master: Any
) -> None:
    kept: Any = copies.copy()
    with torch.no_grad():
        kept.first.weight.fill_(5)
    copies.settle()
    for _ in range(3):
        fresh = copies.copy()
        assert address(fresh) != address(kept)
        assert first_difference(fresh, master) == ""
        ruin(fresh)
        del fresh
        copies.settle()
    assert (kept.first.weight == 5).all()
    with torch.no_grad():
        kept.first.weight.fill_(6)
    assert first_difference(copies.copy(), master) == ""


@pytest.mark.parametrize("hold", ["tensor", "numpy", "storage", "graph"])
def test_a_piece_that_outlives_its_test_stays_too(
    copies: MappedCopies, master: Any, hold: str
) -> None:
    module: Any = copies.copy()
    holders: dict[str, Any] = {
        "tensor": lambda w: w.detach()[1:],
        "numpy": lambda w: w.detach().numpy(),
        "storage": lambda w: w.untyped_storage(),
        "graph": lambda w: (w * w).sum(),
    }
    held = holders[hold](module.first.weight)
    del module
    copies.settle()
    for _ in range(3):
        fresh = copies.copy()
        assert first_difference(fresh, master) == ""
        ruin(fresh)
        del fresh
        copies.settle()
    if hold == "tensor":
        assert torch.equal(held, master.first.weight[1:])
    if hold == "graph":
        held.backward()
    del held


@telling
def test_a_mapping_is_used_again(desk: Any, master: nn.Module) -> None:
    copies = desk.copies(master, scan=best_scan())
    found = set()
    for _ in range(10):
        module = copies.copy()
        found.add(address(module))
        del module
        copies.settle()
    assert len(found) == 1


@telling
def test_a_loop_in_one_test_uses_one_mapping_again(desk: Any, master: Any) -> None:
    copies = desk.copies(master, scan=best_scan())
    found = set()
    for _ in range(100):
        module = copies.copy()
        assert first_difference(module, master) == ""
        found.add(address(module))
        ruin(module)
        del module
    assert len(found) == 1


def test_what_a_loop_let_go_is_let_go(copies: MappedCopies) -> None:
    """Also where nobody can tell which pages were written: each copy has a mapping of its own."""
    regions = []
    for _ in range(50):
        module = copies.copy()
        (region,) = [loan.region for loan in copies._lent if loan.module() is module]
        regions.append(weakref.ref(region))
        del region, module
    gc.collect()
    assert len({id(region()) for region in regions if region() is not None}) <= 2


@pytest.fixture
def lazy_collector() -> Iterator[None]:
    """The collector comes when it is asked, and looks at nothing older than the test."""
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()
    gc.unfreeze()


@pytest.mark.parametrize("each_a_test", [True, False], ids=["200 tests", "a loop of 200"])
def test_garbage_is_bounded(
    copies: MappedCopies, lazy_collector: None, *, each_a_test: bool
) -> None:
    alive = _alive_after(200, copies, each_a_test=each_a_test)
    assert alive <= 2 * module_under_test._LEFT_ALONE + 1


def _alive_after(count: int, copies: MappedCopies, *, each_a_test: bool) -> int:
    """How many mappings are left of models that refer to themselves, as many do."""
    buffers = []
    for _ in range(count):
        module = copies.copy()
        vars(module)["itself"] = module
        (buffer,) = [loan.region.buffer for loan in copies._lent if loan.module() is module]
        buffers.append(weakref.ref(buffer))
        del module, buffer
        if each_a_test:
            copies.settle()
    return len({id(buffer()) for buffer in buffers if buffer() is not None})


def test_models_that_are_all_in_use_are_left_alone(copies: MappedCopies, master: Any) -> None:
    held: list[Any] = []
    for number in range(30):
        held.append(copies.copy())
        with torch.no_grad():
            held[-1].first.bias.fill_(number)
        if number % 3 == 0:
            copies.settle()
    assert [int(each.first.bias[0]) for each in held] == list(range(30))
    assert len({address(each) for each in held}) == 30


@pytest.mark.parametrize("each_a_test", [True, False], ids=["200 tests", "a loop of 200"])
def test_two_hundred_trained_models_take_the_memory_of_a_few(
    desk: Any, scan: Any, lazy_collector: None, *, each_a_test: bool
) -> None:
    size = 4_000_000
    copies = desk.copies(nn.Linear(1000, size // 4000), scan=scan)
    before = _resident()
    for _ in range(200):
        module = copies.copy()
        vars(module)["itself"] = module
        with torch.no_grad():
            module.weight.add_(1)
        del module
        if each_a_test:
            copies.settle()
    assert _resident() - before < 20 * size


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123
        return int(statm.read().split()[1]) * resource.getpagesize()


def test_a_copy_outlives_all_else(desk: Any, master: Any) -> None:
    copies = desk.copies(master, scan=best_scan())
    module: Any = copies.copy()
    expected = module(torch.ones(1, 4))
    del copies
    gc.collect()
    assert torch.equal(module(torch.ones(1, 4)), expected)


# ---- What is told of copies -------------------------------------------------------------------


def write(module: Any, name: str) -> None:
    with torch.no_grad():
        module.get_parameter(name).add_(1)


@pytest.fixture
def watched(copies: MappedCopies) -> MappedCopies:
    copies.watch = True
    return copies


def test_each_changed_copy_of_a_test_is_told_once(watched: MappedCopies) -> None:
    one, two, three = (watched.copy() for _ in range(3))
    write(one, "first.bias")
    write(three, "second.bias")
    assert watched.changes() == ["wrote first.bias", "wrote second.bias"]
    write(two, "first.bias")
    assert watched.changes() == ["wrote first.bias", "wrote second.bias"]


def test_copies_that_a_loop_let_go_are_told(watched: MappedCopies) -> None:
    for name in ("first.bias", "second.bias", "second.bias"):
        module = watched.copy()
        write(module, name)
        del module
    assert watched.changes() == ["wrote second.bias", "wrote first.bias"]
    watched.settle()
    assert watched.changes() == []


def test_a_copy_of_a_wider_fixture_is_told_to_whoever_changes_it(watched: MappedCopies) -> None:
    shared = watched.copy()
    assert watched.changes() == []
    watched.settle()
    assert watched.changes() == []
    write(shared, "first.bias")
    assert watched.changes() == ["wrote first.bias"]
    watched.settle()
    assert watched.changes() == []
    watched.settle()
    write(shared, "second.bias")
    assert watched.changes() == ["wrote first.bias, second.bias"]
    watched.settle()
    shared.eval()
    (said,) = watched.changes()
    assert said.endswith("; switched between training and evaluation")


def test_what_the_first_test_did_to_a_copy_that_is_kept_is_told_to_it_alone(
    watched: MappedCopies,
) -> None:
    KEPT.append(watched.copy())
    write(KEPT[0], "first.bias")
    assert watched.changes() == ["wrote first.bias"]
    watched.settle()
    assert watched.changes() == []
    KEPT.clear()
    watched.settle()
    assert watched.changes() == []


def test_a_file_that_is_removed_meanwhile_is_not_missed(desk: Any, scan: Any, master: Any) -> None:
    copies = desk.copies(master, scan=scan)
    kept: Any = copies.copy()
    copies._reference.path.unlink()
    for _ in range(3):
        fresh = copies.copy()
        assert first_difference(fresh, master) == ""
        ruin(fresh)
        del fresh
        copies.settle()
    assert first_difference(kept, master) == ""
    with torch.no_grad():
        kept.first.bias.add_(1)
    assert first_difference(copies.copy(), master) == ""
