"""A function in a file of the user's: found without running it, run as part of the experiment."""

import ast
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.experiments.code_of import sha256_of_file, shown
from pytest_potmodels.experiments.context import ExperimentContext
from pytest_potmodels.experiments.results import Code

#: In the path of what a package manager has put there.
_INSTALLED = ("site-packages", "dist-packages")
#: The function that is meant where none is named.
DEFAULT = "run"


class FileExperiment:
    """A function by file and name. The file runs anew in each repeat, under that repeat's seed."""

    def __init__(self, file: Path, function: str = DEFAULT) -> None:
        """Look for the function; nothing of the file runs yet.

        Raises:
            UsageError: no such file, or one that is no Python.
            UnknownNameError: no such function, with close matches.
        """
        self.file = file.absolute()
        self.function = function
        if not file.is_file():
            raise UsageError(
                f"There is no file {file}.", remedy="write FILE.py or FILE.py:FUNCTION"
            )
        names = _names(file)
        if function not in names and "*" not in names:
            raise UnknownNameError(
                "function", function, names, where=str(file), remedy=f"write {file}:FUNCTION"
            )

    @property
    def code(self) -> Code:
        """Which code this is."""
        return Code(self.function, shown(self.file), sha256_of_file(self.file))

    def __call__(self, context: ExperimentContext) -> Any:
        """Run the file, and call the function."""
        with _as_started_by_python(self.file) as module:
            return getattr(module, self.function)(context)


def split_target(text: str) -> tuple[Path, str]:
    """`FILE.py:function` as its parts; a drive letter's colon is none of ours."""
    path, colon, name = text.rpartition(":")
    if colon and name.isidentifier() and path.lower().endswith(".py"):
        return Path(path), name
    return Path(text), DEFAULT


def _names(file: Path) -> set[str]:
    """The names that a file gives at its top level; "*" where it takes all of another's."""
    try:
        tree = ast.parse(file.read_bytes(), str(file))
    except (SyntaxError, ValueError) as error:
        raise UsageError(
            f"{file} is no Python: {error}.", remedy=f"python {file} says more"
        ) from error
    names: set[str] = set()
    for node in ast.walk(ast.Module([_without_bodies(each) for each in tree.body], [])):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.alias():
                names.add(node.asname or node.name)
            case ast.Name(ctx=ast.Store()):
                names.add(node.id)
    return names


def _without_bodies(node: ast.stmt) -> ast.stmt:
    """A definition without what is inside it: names in there are not the file's."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        node.body = []
    return node


@contextmanager
def _as_started_by_python(file: Path) -> Iterator[ModuleType]:
    """The file as a module that can import its neighbours, and that workers can import.

    Afterwards neither it nor a neighbour is imported: the next repeat runs them under its own seed.
    """
    top = _top(file)
    parts = file.relative_to(top).with_suffix("").parts
    name = ".".join(parts)
    if name in sys.modules and len(parts) == 1:
        name = f"experiment_{name}"  # A user's random.py is not everybody's.
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise UsageError(f"{file} is no Python file.", remedy="its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    before, path = dict(sys.modules), list(sys.path)
    sys.path[:0] = dict.fromkeys((str(file.parent), str(top)))
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path[:] = path
        for each, loaded in list(sys.modules.items()):
            if loaded is module or (each not in before and _is_below(top, loaded)):
                del sys.modules[each]
        if name in before:
            sys.modules[name] = before[name]


def _top(file: Path) -> Path:
    """The folder from which the file's package is imported; its own where it is in none."""
    folder = file.parent
    while (folder / "__init__.py").is_file() and folder.name.isidentifier():
        folder = folder.parent
    return folder


def _is_below(top: Path, module: ModuleType) -> bool:
    """Whether a module is the user's own code, and no environment's that lies in the same place."""
    origin = str(getattr(module, "__file__", None) or "")
    installed = (sys.prefix, sys.base_prefix, *_INSTALLED)
    return (
        origin.endswith(".py")
        and Path(origin).is_relative_to(top)
        and not any(each in origin for each in installed)
    )
