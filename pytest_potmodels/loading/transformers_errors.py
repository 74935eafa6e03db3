"""What goes wrong between transformers and a stored folder, in this package's errors."""

import json
import pickle
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.errors import (
    MissingPackageError,
    PotModelsError,
    UnavailableError,
    UsageError,
)
from pytest_potmodels.loading.weights_file import first_line, not_loadable

_PIP_LINE = re.compile(r"pip install [^`\n]+")
#: Files in which a repository names Python code of its own.
_CODE_FILES = ("config.json", "tokenizer_config.json", "preprocessor_config.json")


@contextmanager
def explained(stored: StoredModel, auto_class: str) -> Iterator[None]:
    """Turn whatever transformers raises over a folder into an error with a remedy.

    Raises:
        MissingPackageError: the model needs a package that is not installed.
        UnavailableError: the files do not make a model.
        UsageError: the architecture does not come with the head asked for.
    """
    try:
        yield
    except (PotModelsError, MemoryError):
        raise
    # Files from outside fail in every way: a configuration alone raises five kinds of error.
    except Exception as error:
        raise _translated(stored, auto_class, error) from error


def complete(stored: StoredModel, model: Any, found: Mapping[str, Any]) -> tuple[str, ...]:
    """The weights that the files lack, by name; `found` is transformers' loading report.

    Raises:
        UnavailableError: shapes differ, or the files hold none of the model's weights.
    """
    for name, in_file, in_model in sorted(found["mismatched_keys"]):
        shapes = f"expected {tuple(in_model)}, found {tuple(in_file)}"
        raise not_loadable(stored, f"its config.json and its weights differ: {name}: {shapes}")
    if found["error_msgs"]:
        raise not_loadable(stored, "; ".join(found["error_msgs"]))
    missing = set(found["missing_keys"])
    if missing.issuperset(name for name, _ in model.named_parameters()):
        strange = ", ".join(sorted(found["unexpected_keys"])[:3])
        what = f"its files hold none of the weights of {type(model).__name__}, but {strange}, ..."
        raise not_loadable(stored, what)
    return tuple(sorted(missing))


def _translated(stored: StoredModel, auto_class: str, error: Exception) -> PotModelsError:
    if isinstance(error, ImportError):
        return _missing_package(stored, error)
    if isinstance(error, pickle.UnpicklingError):
        what = "its weights hold Python objects beside tensors, and those are never executed"
        return not_loadable(stored, what, remedy="choose a revision with safetensors files")
    if "for this kind of AutoModel" in str(error):
        return UsageError(
            f"{stored.id} has no {auto_class} form.",
            remedy="leave task and auto_class out, or choose a model of that task",
        )
    return _needs_code(stored) or _unreadable(stored, error)


def _missing_package(stored: StoredModel, error: ImportError) -> MissingPackageError:
    line = _PIP_LINE.search(str(error))
    return MissingPackageError(
        f"{stored.id} needs a package that is not installed: {first_line(error)}.",
        remedy=line[0].strip() if line else "",
    )


def _needs_code(stored: StoredModel) -> UnavailableError | None:
    """The error of a model that transformers cannot build by itself, if this is one."""
    naming = [name for name in _CODE_FILES if _names_code(stored, name)]
    if not naming:
        return None
    return not_loadable(
        stored,
        f"it needs Python code of its own (auto_map in {naming[0]}), "
        "and code from outside is not run",
        remedy="choose a model whose architecture transformers ships",
    )


def _names_code(stored: StoredModel, name: str) -> bool:
    try:
        content = json.loads((stored.path / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and "auto_map" in content


def _unreadable(stored: StoredModel, error: Exception) -> UnavailableError:
    known = isinstance(error, OSError | ValueError)
    what = first_line(error) if known else f"{type(error).__name__}: {first_line(error)}"
    return not_loadable(stored, what)
