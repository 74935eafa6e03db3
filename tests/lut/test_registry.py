"""The registry: parts by name, added by decorators, and errors that name what there is."""

import pytest
import torch

from pytest_potmodels.errors import LUTError, LUTNameError
from pytest_potmodels.lut.registry import BUILT_IN, Registry

KINDS = sorted(BUILT_IN)


@pytest.mark.parametrize("kind", KINDS)
def test_every_name_of_ours_stands_for_something(kind: str) -> None:
    registry = Registry()
    assert registry.names(kind) == sorted(BUILT_IN[kind])
    for name in registry.names(kind):
        assert callable(registry.get(kind, name))
        assert registry.is_built_in(kind, name)
        assert getattr(registry, f"get_{kind}")(name) is registry.get(kind, name)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_registered_is_found_and_comes_back_from_the_decorator(kind: str) -> None:
    registry = Registry()

    def part() -> None: ...

    assert getattr(registry, f"register_{kind}")("mine")(part) is part
    assert registry.get(kind, "mine") is part
    assert "mine" in registry.names(kind)
    assert not registry.is_built_in(kind, "mine")


def test_a_second_part_of_one_name_is_an_error_unless_it_is_to_replace() -> None:
    registry = Registry()
    with pytest.raises(LUTError, match=r"'entropy' already(.|\n)*override=True"):
        registry.register_regularizer("entropy")
    registry.register_regularizer("entropy", override=True)(torch.sum)
    assert registry.get_regularizer("entropy") is torch.sum
    assert not registry.is_built_in("regularizer", "entropy")


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_name_is_an_error_with_close_ones_and_all(kind: str) -> None:
    registry = Registry()
    name = registry.names(kind)[0]
    with pytest.raises(LUTNameError, match=f"unknown {kind} '{name}x'") as error:
        registry.get(kind, f"{name}x")
    assert name in error.value.matches
    for known in registry.names(kind):
        assert known in error.value.remedy
    with pytest.raises(LUTNameError, match=r"^here:3: unknown thing 'x'"):
        registry.check_name(kind, "x", what="thing", where="here:3: ")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [lambda: None, "", " ", None])
def test_a_part_is_registered_by_a_name(kind: str, name: object) -> None:
    registry = Registry()
    with pytest.raises(LUTError, match=rf'by a name, got(.|\n)*REGISTRY.register_{kind}\("NAME"\)'):
        getattr(registry, f"register_{kind}")(name)
    assert registry.names(kind) == sorted(BUILT_IN[kind])
