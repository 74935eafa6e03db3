"""What the Action installs: the core package, and no framework with it."""

from importlib.metadata import requires
from importlib.util import find_spec

import pytest
from packaging.requirements import Requirement

#: What only extras bring.
FRAMEWORKS = {
    "torch",
    "torchvision",
    "transformers",
    "onnx",
    "onnxruntime",
    "numpy",
    "scikit-learn",
}


def needed(name: str, extras: frozenset[str] = frozenset()) -> dict[str, frozenset[str]]:
    """What a package needs with these extras, by name, as it is installed here."""
    found = {}
    for line in requires(name) or ():
        requirement = Requirement(line)
        wanted = requirement.marker is None or any(
            requirement.marker.evaluate({"extra": extra}) for extra in extras or {""}
        )
        if wanted:
            found[requirement.name.lower().replace("_", "-")] = frozenset(requirement.extras)
    return found


def all_needed(name: str, extras: frozenset[str] = frozenset()) -> set[str]:
    """What it needs, and what that needs, to the end."""
    seen: set[tuple[str, frozenset[str]]] = set()
    left = [(name, extras)]
    while left:
        one = left.pop()
        if one not in seen:
            seen.add(one)
            left += needed(*one).items()
    return {each for each, _ in seen} - {name}


def test_the_core_package_pulls_no_framework() -> None:
    core = all_needed("pytest-potmodels")
    assert {"click", "huggingface-hub", "pytest"} <= core
    assert core & FRAMEWORKS == set()


@pytest.mark.skipif(find_spec("transformers") is None, reason="transformers is not installed")
def test_an_extra_does() -> None:
    assert {"torch", "transformers"} <= all_needed("pytest-potmodels", frozenset({"language"}))
