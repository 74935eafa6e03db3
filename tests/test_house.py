"""The house rules that a machine can check: sizes of rooms, and names that explain nothing."""

import ast
from importlib.metadata import entry_points, metadata
from pathlib import Path

import pytest

import pytest_potmodels

PACKAGE = Path(pytest_potmodels.__file__).parent
ROOT = PACKAGE.parent
MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_is_one_room(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    long = [
        f"{node.name} ({node.end_lineno - node.lineno + 1} lines)"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > 40
    ]
    assert not long


def test_no_room_is_called_utils() -> None:
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}
    assert not [path for path in MODULES if path.stem in vague or path.parent.name in vague]


def test_nothing_is_unpickled() -> None:
    readers = {"pickle.load", "pickle.loads", "pickle.Unpickler", "joblib.load", "dill.load"}
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        assert not called & readers, path


def test_every_torch_load_is_weights_only() -> None:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                said = {word.arg: ast.unparse(word.value) for word in node.keywords}
                assert said.get("weights_only") == "True", path


def test_the_package_says_what_it_is() -> None:
    said = metadata("pytest-potmodels")
    assert said["Version"] == pytest_potmodels.__version__
    classifiers = said.get_all("Classifier") or []
    assert {"Framework :: Pytest", "Typing :: Typed"} <= set(classifiers)
    (plugin,) = [p for p in entry_points(group="pytest11") if p.name == "potmodels"]
    assert plugin.value == "pytest_potmodels.plugin"
    assert (PACKAGE / "py.typed").exists()
