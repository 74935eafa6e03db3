"""`import pytest_potmodels as pot`: the public names, and what importing them costs."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_potmodels as pot

#: Name -> where it is from. Everything else may change without a word.
PUBLIC = {
    "DigestMismatchError": "errors",
    "LoadedModel": "artifacts",
    "MissingPackageError": "errors",
    "ModelTooLargeError": "errors",
    "PotModelsError": "errors",
    "Reason": "errors",
    "Settings": "settings.values",
    "StoreError": "errors",
    "StoredModel": "artifacts",
    "UnavailableError": "errors",
    "UnknownNameError": "errors",
    "UsageError": "errors",
    "assert_onnx_close": "onnx_export.closeness",
    "fetch": "session.by_name",
    "load": "session.by_name",
}

IMPORT = """
import sys, typing
before = set(sys.modules)
import pytest_potmodels as pot
print(*sorted(set(sys.modules) - before))
assert issubclass(pot.UnavailableError, pot.PotModelsError)
print(*sorted(name for name in sys.modules if name.startswith("pytest_potmodels.")))
"""


def test_the_public_names_are_these_and_come_from_there() -> None:
    assert pot.__all__ == sorted((*PUBLIC, "__version__"))
    for name, home in PUBLIC.items():
        there = importlib.import_module(f"pytest_potmodels.{home}")
        assert getattr(pot, name) is getattr(there, name)


def test_a_type_checker_is_told_the_same_names() -> None:
    stub = ast.parse(Path(pot.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    told = {
        alias.name: str(node.module).removeprefix("pytest_potmodels.")
        for node in imports
        for alias in node.names
    }
    assert told == PUBLIC


def test_a_star_gives_the_public_names() -> None:
    names: dict[str, object] = {}
    exec("from pytest_potmodels import *", names)  # noqa: S102 - the statement itself is tested
    assert set(names) - {"__builtins__"} == set(pot.__all__)


def test_another_name_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        _ = pot.laod  # type: ignore[attr-defined]


def test_importing_it_imports_nothing_and_an_error_only_its_module() -> None:
    said = subprocess.run(
        [sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True
    )
    first, second = said.stdout.splitlines()
    assert first == "pytest_potmodels"
    assert second == "pytest_potmodels.errors"
