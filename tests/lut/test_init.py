"""The public names of LUT networks."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_potmodels import lut

#: Name -> where it is from. Everything else may change without a word.
PUBLIC = {
    "BaseLUTModel": "base_model",
    "ConvNet": "convnet",
    "HardenedNetwork": "hardened",
    "Heldout": "hardened",
    "ModelConfig": "configuration.model_config",
    "REGISTRY": "registry",
    "SimpleFeedForward": "feedforward",
    "build_model": "factory",
    "copy_matching_weights": "matching",
    "get_pretrained_model_info": "pretrained_info",
    "harden": "hardened",
    "list_pretrained_models": "pretrained_files",
    "load_hardened": "hardened",
    "load_heldout": "hardened",
    "load_pretrained": "factory",
}


def test_the_public_names_are_these_and_come_from_there() -> None:
    assert sorted(PUBLIC) == lut.__all__
    for name, home in PUBLIC.items():
        there = importlib.import_module(f"pytest_potmodels.lut.{home}")
        assert getattr(lut, name) is getattr(there, name)


def test_a_type_checker_is_told_the_same_names() -> None:
    stub = ast.parse(Path(lut.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    told = {
        alias.name: str(node.module).removeprefix("pytest_potmodels.lut.")
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == PUBLIC


def test_another_name_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'build_modle'"):
        _ = lut.build_modle  # type: ignore[attr-defined]


WITHOUT_THE_EXTRA = """
import sys
from pytest_potmodels.errors import MissingPackageError
names = {"numpy": ["load_hardened", "harden", "load_heldout", "HardenedNetwork"]}
names["torch"] = ["build_model", "load_pretrained", "BaseLUTModel", "ConvNet", "SimpleFeedForward"]
for package, wanted in names.items():
    sys.modules[package] = None  # As if it were not installed.
    for name in wanted:
        try:
            exec(f"from pytest_potmodels.lut import {name}")
        except MissingPackageError as error:
            assert "not available (not installed)" in str(error), error
            assert f"pip install {package}" in error.remedy, error
            assert "pytest-potmodels[lut]" in error.remedy, error
        else:
            raise SystemExit(f"{name} without {package}")
try:
    from pytest_potmodels.lut import REGISTRY
    REGISTRY.get_node("dwn")
except MissingPackageError as error:
    assert "PyTorch" in str(error)
else:
    raise SystemExit("a node without torch")
"""


def test_without_its_packages_a_name_says_what_to_install() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_THE_EXTRA], check=True)
