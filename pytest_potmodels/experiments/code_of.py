"""Which code an experiment is, and where in a traceback it begins."""

import functools
import hashlib
import inspect
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_potmodels.experiments.results import Code


def code_of(function: Callable[..., Any]) -> Code:
    """A function's name and file; the sha256 is over the file, in a notebook over the source."""
    inner = _unwrapped(function)
    name = getattr(inner, "__qualname__", type(inner).__qualname__)
    file = file_of(function)
    if file and Path(file).is_file():
        return Code(name, shown(Path(file)), sha256_of_file(Path(file)))
    try:
        source = inspect.getsource(inner).encode()
    except (OSError, TypeError):
        return Code(name, "", "")
    return Code(name, "", hashlib.sha256(source).hexdigest())


def file_of(function: Callable[..., Any]) -> str:
    """The file that a function is written in, as its tracebacks have it; "" if it has none."""
    inner = _unwrapped(function)
    if not hasattr(inner, "__code__"):  # An object that can be called.
        inner = inspect.getattr_static(type(inner), "__call__", None)
    return str(inner.__code__.co_filename) if hasattr(inner, "__code__") else ""


def shown(file: Path) -> str:
    """A file relative to the working folder if it is in it, else its name alone."""
    here = Path.cwd()
    return file.relative_to(here).as_posix() if file.is_relative_to(here) else file.name


def sha256_of_file(file: Path) -> str:
    """The digest of a file of code."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def traceback_from(error: BaseException, file: str) -> str:
    """An error's traceback from the first line of the user's file on; "" where it has none."""
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename != file:
        frame = frame.tb_next
    if frame is None:
        return ""
    return "".join(traceback.format_exception(type(error), error, frame))


def _unwrapped(function: Any) -> Any:
    while isinstance(function, functools.partial):
        function = function.func
    return inspect.unwrap(function)
