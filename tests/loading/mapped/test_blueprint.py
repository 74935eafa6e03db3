"""Copies are alike, and nothing that is done to one reaches its master or another."""

import copy
import io
import pickle
from typing import Any

import pytest
import torch
import torch.fx
from loading.mapped.zoo import MAPPED, REFUSED, Block
from torch import nn
from torch.nn.utils import parametrize

from pytest_potmodels.artifacts import state_checksum
from pytest_potmodels.loading.aligned import located
from pytest_potmodels.loading.mapped.index import ALIGNMENT
from pytest_potmodels.loading.mapped.inventory import UnmappableError, named_tensors
from pytest_potmodels.loading.mapped.likeness import first_difference
from pytest_potmodels.loading.mapped.reach import first_shared, parts
from pytest_potmodels.loading.mapped.region import Region

X = torch.arange(12.0).view(3, 4) / 5

mapped = pytest.mark.parametrize("name", MAPPED)


def output(module: Any) -> torch.Tensor:
    with torch.no_grad():
        out: torch.Tensor = module.eval()(X)
    return out


def difference(ours: nn.Module, other: nn.Module) -> str:
    if isinstance(ours, torch.fx.GraphModule):  # Each is of a class of its own.
        alike = isinstance(other, torch.fx.GraphModule) and ours.code == other.code
        return "" if alike else "another graph"
    return first_difference(ours, other)


def ruin(module: nn.Module) -> None:
    """Change all that can be changed."""
    for _, tensor, _ in named_tensors(module):
        with torch.no_grad():
            tensor.zero_()
        tensor.requires_grad = False
        vars(tensor).clear()
    for each in list(module.modules()):
        each.train()
        for value in list(vars(each).values()):
            if isinstance(value, dict | list | set):
                value.clear()
            elif hasattr(value, "__dict__") and not isinstance(value, type):
                vars(value).clear()
        vars(each)["added"] = 1


@mapped
def test_a_copy_is_alike(name: str, desk: Any) -> None:
    master = MAPPED[name]().eval()
    path, blueprint = desk.proven(master)
    copied = blueprint.build(Region(path, None))
    assert difference(copied, master) == ""
    assert torch.equal(output(copied), output(master))
    assert str(copied) == str(master)
    for _, tensor, _ in named_tensors(copied):
        assert tensor.untyped_storage().data_ptr() % ALIGNMENT == 0
        assert tensor._base is None or tensor.numel() == 0
        assert tensor.is_leaf


@mapped
def test_copies_share_nothing(name: str, desk: Any) -> None:
    master = MAPPED[name]().eval()
    path, blueprint = desk.proven(master)
    one, two = blueprint.build(Region(path, None)), blueprint.build(Region(path, None))
    assert first_shared(one, master) == first_shared(two, one) == ""
    expected, state = output(master), state_checksum(master.state_dict())
    ruin(one)
    assert difference(two, master) == ""
    assert difference(blueprint.build(Region(path, None)), master) == ""
    assert torch.equal(output(two), expected)
    assert torch.equal(output(master), expected)
    assert state_checksum(two.state_dict()) == state_checksum(master.state_dict()) == state


@mapped
def test_a_copy_learns_alone(name: str, desk: Any) -> None:
    master = MAPPED[name]()
    path, blueprint = desk.proven(master)
    one, two = blueprint.build(Region(path, None)), blueprint.build(Region(path, None))
    trained = [each for each in one.parameters() if each.requires_grad]
    if not trained:
        return
    before = state_checksum(master.state_dict())
    one.train()(X).sum().abs().backward()
    torch.optim.SGD(one.parameters(), lr=0.5).step()
    assert any(each.grad is not None for each in trained)
    assert all(each.grad is None for each in (*two.parameters(), *master.parameters()))
    assert state_checksum(two.state_dict()) == state_checksum(master.state_dict()) == before


@mapped
def test_a_copy_can_be_copied_and_saved(name: str, desk: Any) -> None:
    master = MAPPED[name]().eval()
    copied = desk.copied(master)
    again = copy.deepcopy(copied)
    assert torch.equal(output(again), output(master))
    state = io.BytesIO()
    torch.save(copied.state_dict(), state)
    size = sum(
        {t.untyped_storage().data_ptr(): t.nbytes for _, t, _ in named_tensors(master)}.values()
    )
    assert len(state.getvalue()) < size + 2000 + 800 * len(copied.state_dict())
    loaded = torch.load(io.BytesIO(state.getvalue()), weights_only=True)
    assert state_checksum(loaded) == state_checksum(master.state_dict())


@pytest.mark.parametrize("name", ["plain", "tied", "recurrent", "normalised", "one storage"])
def test_a_copy_can_be_pickled(name: str, desk: Any) -> None:
    master = MAPPED[name]().eval()
    again = pickle.loads(pickle.dumps(desk.copied(master)))  # noqa: S301  our own
    assert torch.equal(output(again), output(master))
    assert state_checksum(again.state_dict()) == state_checksum(master.state_dict())


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_copied_faithfully_is_refused_with_the_reason(name: str, desk: Any) -> None:
    make, reason = REFUSED[name]
    with pytest.raises((UnmappableError, RuntimeError)) as caught:
        desk.proven(make())
    assert reason in str(caught.value)


def test_tied_weights_are_tied_in_each_copy(desk: Any) -> None:
    path, blueprint = desk.proven(MAPPED["tied"]())
    one, two = (blueprint.build(Region(path, None)) for _ in range(2))
    assert one.first.weight is one.second.weight
    assert one.first.weight is not two.first.weight
    with torch.no_grad():
        one.first.weight.fill_(7)
    assert (one.second.weight == 7).all()
    assert not (two.second.weight == 7).any()


def test_memory_that_buffers_share_is_shared_in_each_copy(desk: Any) -> None:
    copied = desk.copied(MAPPED["one storage"]())
    for module in (copied, copy.deepcopy(copied)):
        module.whole.fill_(7)
        assert (module.left == 7).all()
        assert (module.square == 7).all()
        assert (module.again == 7).all()


def test_one_module_under_two_names_stays_one(desk: Any) -> None:
    copied = desk.copied(MAPPED["one module under two names"]())
    assert copied.first is copied.second


def test_an_lstm_keeps_its_list_of_weights(desk: Any) -> None:
    lstm = desk.copied(MAPPED["recurrent"]()).lstm
    assert all(map(lambda a, b: a is b, lstm._flat_weights, lstm.parameters()))


def test_references_lead_to_the_copy(desk: Any) -> None:
    copied = desk.copied(MAPPED["a reference back"]())
    assert copied.first.owner[0] is copied
    assert copied.second.owners["mine"] is copied


def test_one_configuration_stays_one_object_within_a_copy(desk: Any) -> None:
    master: Any = MAPPED["a shared configuration"]()
    copied = desk.copied(master)
    assert copied.config is copied.first.config is copied.inner[0]
    assert copied.config is not master.config
    assert copied.config.sizes is not master.config.sizes


def test_a_table_that_two_modules_hold_stays_one(desk: Any) -> None:
    copied = desk.copied(MAPPED["a handle"]())
    assert copied.table is copied.first.table


def test_a_handle_takes_the_hook_off_its_own_copy_only(desk: Any) -> None:
    path, blueprint = desk.proven(MAPPED["a handle"]())
    one, two = (blueprint.build(Region(path, None)) for _ in range(2))
    one.handle.remove()
    assert len(one.second._forward_hooks) == 0
    assert len(two.second._forward_hooks) == 1


def test_a_parametrization_is_taken_off_one_copy_only(desk: Any) -> None:
    master = MAPPED["weight norm"]().eval()
    path, blueprint = desk.proven(master)
    one, two = (blueprint.build(Region(path, None)) for _ in range(2))
    expected = output(master)
    parametrize.remove_parametrizations(one.first, "weight")
    assert type(one.first) is nn.Linear
    assert torch.equal(output(two), expected)
    assert torch.equal(output(master), expected)
    assert torch.equal(output(blueprint.build(Region(path, None))), expected)


def test_a_traced_copy_has_code_of_its_own(desk: Any) -> None:
    path, blueprint = desk.proven(torch.fx.symbolic_trace(Block()))
    one, two = (blueprint.build(Region(path, None)) for _ in range(2))
    expected = output(two)
    for node in one.graph.nodes:
        if node.target == "second":
            node.replace_all_uses_with(node.args[0])
    one.recompile()
    assert not torch.equal(output(one), expected)
    assert torch.equal(output(two), expected)


def test_a_note_on_a_parameter_is_on_each_copy(desk: Any) -> None:
    assert desk.copied(MAPPED["note on a parameter"]()).first.weight.note == ("loaded", 1)


def test_nothing_of_a_copy_outlives_it(desk: Any) -> None:
    path, blueprint = desk.proven(MAPPED["plain"]())
    region = Region(path, None)
    copied = blueprint.build(region)
    assert not region.idle
    del copied
    assert region.idle


def test_a_blueprint_does_not_touch_its_master(desk: Any) -> None:
    for make in MAPPED.values():
        master = make()
        before = [(name, id(part)) for name, part in parts(master)]
        desk.copied(master)
        assert [(name, id(part)) for name, part in parts(master)] == before


def test_a_file_of_other_tensors_is_refused(desk: Any) -> None:
    path, _ = desk.written(nn.Linear(4, 4))
    with pytest.raises(ValueError, match="tensors beside the model's, or missing: bias, first"):
        located(desk.items(Block()), path)
    with pytest.raises(ValueError, match="weight differs"):
        located(desk.items(nn.Linear(4, 4)), path)
