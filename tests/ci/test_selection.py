"""Which models of a lock or a list are meant by names and globs."""

from pathlib import Path

import pytest

from pytest_potmodels.catalog.reader import build_catalog
from pytest_potmodels.ci.selection import Selected, chosen, of_lock, of_names
from pytest_potmodels.errors import UnknownNameError
from pytest_potmodels.lockfile.entries import Lock, LockedFile, LockedModel
from pytest_potmodels.lockfile.pins import Pins
from pytest_potmodels.settings.values import Settings

FILES = (LockedFile("model.bin", 3, "a" * 64),)
LOCK = Lock(
    Path("potmodels.lock"),
    (
        LockedModel("huggingface", "org/one", ("one", "[odd]"), ("old",), revision="1" * 40,
                    ref="main", files=FILES),
        LockedModel("huggingface", "org/two", revision="2" * 40, ref="main", files=FILES),
        LockedModel("torchvision", "resnet18", revision="IMAGENET1K_V1", ref="DEFAULT",
                    files=FILES),
    ),
)  # fmt: skip
CATALOG = build_catalog({}, Settings().where)


@pytest.fixture
def locked() -> Selected:
    return of_lock(Pins(LOCK, only=True), CATALOG)


def ids(selected: Selected) -> list[str]:
    return [str(model) for model in selected.models]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ((), ["huggingface:org/one", "huggingface:org/two", "torchvision:resnet18"]),
        (("one",), ["huggingface:org/one"]),
        (("old",), ["huggingface:org/one"]),
        (("[odd]",), ["huggingface:org/one"]),
        (("org/*",), ["huggingface:org/one", "huggingface:org/two"]),
        (("*:res*", "org/two"), ["huggingface:org/two", "torchvision:resnet18"]),
    ],
)
def test_names_aliases_and_globs_choose(
    locked: Selected, patterns: tuple[str, ...], expected: list[str]
) -> None:
    assert ids(chosen(locked, patterns)) == expected
    assert chosen(locked, patterns).law == "lock"


@pytest.mark.parametrize("pattern", ["tow", "nothing/*"])
def test_each_pattern_must_fit_something(locked: Selected, pattern: str) -> None:
    with pytest.raises(UnknownNameError, match="model of the lock"):
        chosen(locked, ("one", pattern))


def test_each_entry_is_asked_for_at_its_pin(locked: Selected) -> None:
    for model in locked.models:
        assert CATALOG.request(model.name).id == model.request.id
        assert model.entry is not None
        assert model.request.id.revision == model.entry.revision


def test_without_a_lock_each_model_counts_once_and_mocks_not() -> None:
    found = of_names(["resnet18", "torchvision:resnet18", "mock-cnn"], CATALOG)
    assert ids(found) == ["torchvision:resnet18"]
    assert (found.law, found.models[0].digest) == ("manifests", "")
