"""Run an entry point of a repository's `hubconf.py`, and leave Python as it was."""

import ast
import enum
import importlib
import importlib.util
import inspect
import os
import pickle
import sys
import traceback
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from pytest_potmodels.errors import (
    MissingPackageError,
    PotModelsError,
    Reason,
    UnavailableError,
    close_matches,
)
from pytest_potmodels.loading.torch_hub_routes import RefusedError, UnpicklingRefusedError
from pytest_potmodels.loading.torchvision_guard import import_torchvision
from pytest_potmodels.loading.weights_file import first_line

#: The folder of an entry that holds the repository.
CODE = "code"
_HUBCONF = "hubconf.py"
#: Where the name to import and the name to install differ.
_TO_INSTALL = {
    "PIL": "pillow",
    "cv2": "opencv-python",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}
_REMEDY = "see what its repository says of that entry point, or name another revision"


def run_entry(model: str, folder: Path, entry: str) -> Any:
    """What an entry point makes; weights are asked for where it has a parameter for that.

    `folder` holds the repository in `code`. The routes of torch.hub are the caller's affair.

    Raises:
        MissingPackageError: the repository needs packages that are not installed.
        UnavailableError: there is no such entry point, or it fails.
    """
    code = folder / CODE
    try:
        text = (code / _HUBCONF).read_text(encoding="utf-8")
        _require(model, [name for name in _dependencies(text) if name not in _top_names(code)])
        _prefer_installed_torchvision(code, text)
        with importable(code):
            function = _entry_point(model, _imported(code / _HUBCONF), entry)
            return function(**_arguments(function))
    except (PotModelsError, MemoryError):
        raise
    # The code is somebody else's, and fails in any way; it may not end the tests either.
    except (Exception, SystemExit) as error:
        raise _explained(model, error, code) from error


@contextmanager
def importable(code: Path) -> Iterator[None]:
    """Put a folder on Python's path; its modules are gone afterwards, and what was is back.

    A module of the user's that has the name of one of the folder's does not stand in its way.
    """
    path, modules = sys.path[:], dict(sys.modules)
    wrote = sys.dont_write_bytecode
    names = _top_names(code) - _PROTECTED
    for name in modules:
        if name.partition(".")[0] in names:
            del sys.modules[name]
    sys.path.insert(0, str(code))
    sys.dont_write_bytecode = True  # The folder of a stored model holds what was admitted.
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.dont_write_bytecode = wrote
        sys.path[:] = path
        for name, module in list(sys.modules.items()):
            if modules.get(name) is not module and _is_of(module, code):
                del sys.modules[name]
        sys.modules.update(modules)
        for place in [each for each in sys.path_importer_cache if each.startswith(str(code))]:
            del sys.path_importer_cache[place]


#: What cannot be there twice: it has registered itself below Python.
_PROTECTED = frozenset({*sys.stdlib_module_names, "torch", "torchvision", "pytest_potmodels"})


def _top_names(code: Path) -> set[str]:
    return {path.stem for path in code.iterdir() if path.suffix == ".py" or path.is_dir()}


def _is_of(module: ModuleType, code: Path) -> bool:
    try:
        facts = vars(module)
        places = [facts.get("__file__") or "", *(facts.get("__path__") or ())]
    except TypeError:  # Anything may sit among the modules.
        return False
    return any(str(place).startswith(f"{code}{os.sep}") for place in places)


def _imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("hubconf", path)
    assert spec is not None  # noqa: S101 - it ends in .py
    assert spec.loader is not None  # noqa: S101 - so there is one
    module = importlib.util.module_from_spec(spec)
    sys.modules["hubconf"] = module  # Dataclasses look for the module that they are in.
    spec.loader.exec_module(module)
    return module


def _prefer_installed_torchvision(code: Path, text: str) -> None:
    # Its repository has the package at the top. Two of them cannot be in one process, since both
    # register the same operators; and one that is built for another torch needs the guard.
    named = "torchvision" in text or (code / "torchvision").is_dir()
    if named and importlib.util.find_spec("torchvision") is not None:
        import_torchvision()


def _dependencies(text: str) -> list[str]:
    """`dependencies = [...]` of a hubconf.py, read without running it; importing may need them."""
    for node in ast.parse(text).body:
        targets = node.targets if isinstance(node, ast.Assign) else ()
        if any(isinstance(each, ast.Name) and each.id == "dependencies" for each in targets):
            try:
                return [str(each) for each in ast.literal_eval(node.value)]  # type: ignore[attr-defined]
            except (ValueError, TypeError):
                return []
    return []


def _require(model: str, packages: list[str]) -> None:
    missing = [name for name in packages if not importlib.util.find_spec(name.partition(".")[0])]
    if missing:
        raise _missing(model, missing)


def _missing(model: str, packages: list[str]) -> MissingPackageError:
    return MissingPackageError(
        f"{model} needs {', '.join(packages)}, not installed here (dependencies of its hubconf.py)",
        remedy=f"pip install {' '.join(_TO_INSTALL.get(name, name) for name in packages)}",
    )


def _entry_point(model: str, hubconf: ModuleType, entry: str) -> Callable[..., Any]:
    found = getattr(hubconf, entry, None)
    if callable(found):
        return typing.cast("Callable[..., Any]", found)
    facts = vars(hubconf).items()
    known = [name for name, value in facts if callable(value) and not name.startswith("_")]
    meant = close_matches(entry, known)
    hint = f" Did you mean {' or '.join(meant)}?" if meant else ""
    raise UnavailableError(
        f"{model}: its hubconf.py has no entry point {entry!r}.{hint}",
        reason=Reason.UNKNOWN_MODEL,
        remedy=f"entry points: {', '.join(sorted(known)) or 'none'}",
    )


def _arguments(function: Callable[..., Any]) -> Mapping[str, Any]:
    """Ask for weights: by `pretrained`, or by torchvision's `weights`, whose default is none."""
    parameters = inspect.signature(function).parameters
    if "pretrained" in parameters and parameters["pretrained"].default is False:
        return {"pretrained": True}
    if "weights" in parameters and parameters["weights"].default is None:
        hint = typing.get_type_hints(function).get("weights")
        for kind in (hint, *typing.get_args(hint)):
            if isinstance(kind, enum.EnumMeta) and "DEFAULT" in kind.__members__:
                return {"weights": kind.__members__["DEFAULT"]}
    return {}


def _explained(model: str, error: BaseException, code: Path) -> PotModelsError:
    if isinstance(error, ModuleNotFoundError) and error.name:
        return _missing(model, [error.name.partition(".")[0]])
    what, remedy = f"{type(error).__name__}: {first_line(error)}", _REMEDY
    if isinstance(error, RefusedError):
        what = str(error)
    if isinstance(error, pickle.UnpicklingError | UnpicklingRefusedError):
        what = "it reads Python objects beside tensors, and those are never executed"
        remedy = "name a revision whose weights are tensors alone"
    return UnavailableError(
        f"{model} cannot be loaded: {what}{_place(error, code)}.",
        reason=Reason.NOT_LOADABLE,
        remedy=remedy,
    )


def _place(error: BaseException, code: Path) -> str:
    """Where in the repository it happened."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith(f"{code}{os.sep}")
    ]
    if not frames:
        return ""
    return f" ({Path(frames[-1].filename).relative_to(code).as_posix()}:{frames[-1].lineno})"
