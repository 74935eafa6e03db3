"""The models of one process: copied, evicted, refused, and what cannot be mapped."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from loading.architectures import CASES, IDS
from loading.same import Machine, assert_same, stock
from torch import nn

from pytest_potmodels import loading
from pytest_potmodels.artifacts import LoadedModel, LoadOptions, StoredModel, state_checksum
from pytest_potmodels.errors import UnavailableError, UsageError
from pytest_potmodels.loading.originals import Originals
from pytest_potmodels.store.layout import Layout

Saved = Callable[[str], StoredModel]


def test_each_copy_is_pristine_whatever_was_done_to_those_before(
    saved: Saved, machine: Machine
) -> None:
    originals, stored = machine.originals(), saved("t5")
    theirs = stock(stored, task="translation")
    for turn in range(6):
        loaded = originals.load(stored, LoadOptions(task="translation"), device="cpu")
        assert_same(loaded, theirs, CASES["t5"].inputs)
        for parameter in loaded.model.parameters():
            parameter.data.fill_(turn)
        loaded.model.train().half().config.d_model = turn
        loaded.model.encoder = nn.Identity()
        originals.settle()


def test_threads_that_ask_at_once_get_a_copy_each(saved: Saved, machine: Machine) -> None:
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    originals, stored = machine.originals(), saved("bert")
    with ThreadPoolExecutor(8) as pool:
        found = list(
            pool.map(lambda _: originals.load(stored, LoadOptions(), device="cpu"), range(16))
        )
    addresses = {each.model.embeddings.word_embeddings.weight.data_ptr() for each in found}
    assert len(addresses) == 16
    assert len({each.checksum for each in found}) == 1
    assert len(machine.built) == 1


@contextmanager
def _double() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@contextmanager
def _default_meta() -> Iterator[None]:
    torch.set_default_device("meta")
    yield
    torch.set_default_device(None)


#: What a test may have asked of torch when it is the first to load a model.
MOODS: dict[str, Callable[[], Any]] = {
    "double": _double,
    "on meta": lambda: torch.device("meta"),
    "meta by default": _default_meta,
    "inference": torch.inference_mode,
    "no gradients": torch.no_grad,
    "autocast": lambda: torch.autocast("cpu"),
}


@pytest.mark.parametrize("mood", MOODS)
@pytest.mark.parametrize("name", ["squeezenet1_1", "bert"])
def test_whoever_comes_first_does_not_decide_what_the_others_get(
    mood: str, name: str, saved: Saved, published: Saved, machine: Machine
) -> None:
    stored = saved(name) if name in CASES else published(name)
    inputs = CASES[name].inputs if name in CASES else {"images": torch.ones(1, 3, 64, 64)}
    theirs, originals = stock(stored), machine.originals()
    with MOODS[mood]():
        first = originals.load(stored, LoadOptions(), device="cpu")
    assert_same(originals.load(stored, LoadOptions(), device="cpu"), theirs, inputs)
    assert_same(first, theirs, inputs)
    assert_same(machine.load(stored), theirs, inputs)
    with MOODS[mood]():
        second = machine.load(stored)
    assert_same(second, theirs, inputs)
    assert torch.get_default_dtype() == torch.float32


def seeds(originals: Originals) -> list[int]:
    """Of the models that are kept, the least recently used first."""
    keys: list[Any] = list(originals._open)
    return [key[-1].seed for key in keys]


def test_the_least_recently_used_is_let_go_beyond_the_budget(
    saved: Saved, machine: Machine
) -> None:
    stored = saved("bert")
    size = int(machine.load(stored).memory_mb * 1024 * 1024)
    originals = machine.originals(budget=2 * size + size // 2)

    def load(seed: int) -> LoadedModel:
        return originals.load(stored, LoadOptions(seed=seed), device="cpu")

    kept = load(0)
    before = kept.checksum
    for seed in (1, 0, 2):
        load(seed)
    assert seeds(originals) == [0, 2]
    load(1)
    assert seeds(originals) == [2, 1]
    assert state_checksum(kept.model.state_dict()) == before
    kept.model(IDS)
    load(0)
    assert seeds(originals) == [1, 0]
    assert load(0).checksum == before


def test_a_model_that_is_larger_than_the_budget_is_kept_until_the_next(
    saved: Saved, machine: Machine
) -> None:
    originals, stored = machine.originals(budget=0), saved("bert")
    for seed in (0, 0, 1):
        originals.load(stored, LoadOptions(seed=seed), device="cpu")
        assert seeds(originals) == [seed]
    assert len(machine.built) == 2


def test_what_a_model_is_is_known_without_counting(saved: Saved, machine: Machine) -> None:
    stored = saved("gpt2")
    expected = stock(stored, task="text-generation").memory_mb
    assert machine.load(stored, task="text-generation").memory_mb == expected
    assert machine.load(stored, task="text-generation").memory_mb == expected


def test_a_stand_in_is_drawn_anew_and_not_derived(store: Any, machine: Machine) -> None:
    from pytest_potmodels.identifiers import ModelId  # noqa: PLC0415

    mock = StoredModel(ModelId("mock", "cnn"), Path(), "vision", "mock", ())
    originals = machine.originals()
    one, two = (originals.load(mock, LoadOptions(), device="cpu") for _ in range(2))
    assert one.model is not two.model
    assert one.checksum == two.checksum
    assert machine.derived.all() == []


# ---- Errors -----------------------------------------------------------------------------------


def test_files_that_make_no_model_are_an_error_each_time_and_leave_nothing(
    tiny_bert: Path, store: Any, machine: Machine
) -> None:
    (tiny_bert / "model.safetensors").write_bytes(b"nothing")
    originals, stored = machine.originals(), store(tiny_bert)
    for _ in range(2):
        with pytest.raises(UnavailableError, match="cannot be loaded"):
            originals.load(stored, LoadOptions(), device="cpu")
    assert machine.derived.all() == []
    assert not list(Layout.at(machine.cache).partial.glob("*"))


def test_options_and_devices_that_do_not_exist_are_usage_errors(
    tiny_bert: Path, store: Any, machine: Machine
) -> None:
    originals, stored = machine.originals(), store(tiny_bert)
    with pytest.raises(UsageError, match="Did you mean"):
        originals.load(stored, LoadOptions(task="fil-mask"), device="cpu")
    machine.built.clear()
    for _ in range(2):
        with pytest.raises(UsageError, match="device 'cuda:99' cannot be used"):
            originals.load(stored, LoadOptions(), device="cuda:99")
    assert machine.built == []
    assert originals.load(stored, LoadOptions(), device="cpu").not_mapped == ""
    with pytest.raises(UsageError, match="cannot be used"):
        originals.load(stored, LoadOptions(), device="cuda:99")


# ---- What cannot be mapped --------------------------------------------------------------------


@pytest.fixture
def stubborn(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> list[nn.Module]:
    """Each model that the stock loader builds has a closure over a layer of it."""
    made: list[nn.Module] = []
    loader: Any = loading.loader_of("transformers")
    stock_build = loader.build

    def build(stored: StoredModel, options: LoadOptions) -> Any:
        built = stock_build(stored, options)
        layer = built.model.embeddings
        vars(built.model)["look_up"] = lambda ids: layer(ids)  # noqa: PLW0108
        made.append(built.model)
        return built

    monkeypatch.setattr(loader, "build", build)
    return made


def test_a_model_that_can_be_neither_mapped_nor_copied_is_loaded_anew_and_says_so(
    tiny_bert: Path, store: Any, machine: Machine, stubborn: list[nn.Module],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    originals, stored = machine.originals(), store(tiny_bert)
    sums = set()
    for _ in range(3):
        loaded = originals.load(stored, LoadOptions(), device="cpu")
        assert "look_up leads to a BertEmbeddings" in loaded.not_mapped
        sums.add(loaded.checksum)
        for parameter in loaded.model.parameters():
            parameter.data.zero_()
        assert not loaded.model.look_up(IDS[:, :2]).any()
        originals.settle()
    assert len(sums) == 1
    assert caplog.text.count("is not mapped, each test gets a slow copy") == 1
