"""Read a state dict from a file; nothing in it is ever executed."""

import pickle
import textwrap
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import safetensors
import torch
from safetensors.torch import load_file

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.errors import Reason, UnavailableError

State = dict[str, torch.Tensor]

#: Where training scripts (torchvision's and Lightning's) put the state dict in a checkpoint.
_CHECKPOINT_KEYS = ("model", "state_dict")
_SAVE_WEIGHTS = "save its weights alone: torch.save(model.state_dict(), FILE)"
#: Characters of a difference that a message shows.
_SHOWN = 200
#: Characters of a library's message that ours repeats.
_LONGEST = 1000


def weights_path(stored: StoredModel) -> Path:
    """The one weights file of a stored model.

    Raises:
        UnavailableError: there is none, or more than one.
    """
    names = [file.path for file in stored.files]
    if len(names) != 1:
        raise not_loadable(stored, f"expected one weights file, found {', '.join(names) or 'none'}")
    return stored.path / names[0]


def read_state(stored: StoredModel) -> State:
    """The tensors of the weights file by name, on the CPU.

    Raises:
        UnavailableError: damaged, a pickled model, or no state dict.
    """
    path = weights_path(stored)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        # torch warns of what it then refuses; where warnings are errors, nobody would read why.
        with warnings.catch_warnings(action="ignore"):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise not_loadable(stored, _unpicklable(path), remedy=_SAVE_WEIGHTS) from error
    except (RuntimeError, EOFError, OSError, safetensors.SafetensorError) as error:
        # Behind the reason torch says how to run what is in the file.
        reason, advice, _ = first_line(error).partition(" In PyTorch 2.6,")
        remedy = _SAVE_WEIGHTS if advice else ""
        what = f"{path.name} cannot be read: {reason.rstrip('.')}"
        raise not_loadable(stored, what, remedy=remedy) from error
    return _tensors(stored, path, content)


def _unpicklable(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(2)
    if head == b"PK" or head.startswith(pickle.PROTO):
        return f"{path.name} holds Python objects beside tensors, and those are never executed"
    return f"{path.name} is no file of torch; it begins with {head!r}"


def _tensors(stored: StoredModel, path: Path, content: Any) -> State:
    """The state dict itself, out of a training checkpoint if need be."""
    if isinstance(content, Mapping):
        for candidate in (content, *(content.get(key) for key in _CHECKPOINT_KEYS)):
            if _is_state(candidate):
                # Not copied: its `_metadata` holds the layers' format versions.
                return cast(State, candidate)
    found = f"a dict of {', '.join(map(str, list(content)[:5]))}" if content else "nothing"
    shown = found if isinstance(content, Mapping) else f"a {type(content).__name__}"
    raise not_loadable(
        stored,
        f"{path.name}: expected a state dict (names -> tensors), found {shown}",
        remedy="save it with torch.save(model.state_dict(), FILE)",
    )


def _is_state(candidate: Any) -> bool:
    return (
        isinstance(candidate, Mapping)
        and bool(candidate)
        and all(isinstance(value, torch.Tensor) for value in candidate.values())
    )


def not_loadable(stored: StoredModel, what: str, *, remedy: str = "") -> UnavailableError:
    """The error for files that are there and do not make this model."""
    return UnavailableError(
        f"{stored.id} cannot be loaded: {what}.",
        reason=Reason.NOT_LOADABLE,
        remedy=remedy or f"potmodels verify {stored.id}",
    )


def misfit(stored: StoredModel, error: Exception) -> UnavailableError:
    """The error for a state dict that `load_state_dict` refuses; it shows the first difference."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # torch's first line is a title, and the lines below it list every name.
    difference = textwrap.shorten((lines[1:] or lines)[0], _SHOWN, placeholder=" ...")
    return not_loadable(
        stored,
        f"its tensors are not those of {stored.architecture}: {difference}",
        remedy=f"give the architecture of these weights, or: potmodels verify {stored.id}",
    )


def first_line(error: BaseException) -> str:
    """An error's first line that says something, without its final stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:_LONGEST].rstrip(".") if lines else type(error).__name__
