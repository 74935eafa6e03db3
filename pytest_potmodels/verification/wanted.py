"""One file of one model, as somebody asked for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.onnx_export.recipe_table import RECIPES
from pytest_potmodels.verification.detection import NAMES

DEFAULT_FILE = "model.onnx"
_PART = re.compile(r"\w[\w.+-]*")
#: What `--model-type` may say: the types that a recipe is for, and those that names tell.
TYPES = tuple(
    sorted(
        {each for recipe in RECIPES for each in (recipe.family, *recipe.model_types)}
        | {model_type for _, model_type in NAMES}
    )
)


@dataclass(frozen=True)
class Wanted:
    """A model, the path of its file, and its type where somebody knows better than its name."""

    model_id: str
    file_path: str = DEFAULT_FILE
    model_type: str | None = None

    def candidates(self) -> tuple[str, ...]:
        """Where in a repository the file may lie; a bare name also in `onnx/`, as exporters do."""
        if "/" in self.file_path:
            return (self.file_path,)
        return (self.file_path, f"onnx/{self.file_path}")


def checked(wanted: Wanted, where: str = "") -> Wanted:
    """The same, if it can be meant.

    Raises:
        UsageError: it cannot; `where` is said first.
        UnknownNameError: a type that does not exist, with close matches.
    """
    place = f"{where}: " if where else ""
    for field in fields(Wanted):
        value = getattr(wanted, field.name)
        if not (isinstance(value, str) and value) and value is not field.default:
            raise UsageError(f"{place}{field.name} = {value!r} is no text.")
    parts = wanted.file_path.split("/")
    if not all(map(_PART.fullmatch, parts)) or not wanted.file_path.endswith(".onnx"):
        raise UsageError(
            f"{place}file_path {wanted.file_path!r} is no path of an ONNX file in a repository.",
            remedy="write model.onnx or onnx/model.onnx",
        )
    if wanted.model_type and wanted.model_type not in TYPES:
        raise UnknownNameError(
            "model type", wanted.model_type, TYPES, where=where,
            remedy="leave it out, and it is found out",
        )  # fmt: skip
    return wanted


def from_mapping(said: Any, where: str) -> Wanted:
    """What one object of a batch asks for.

    Raises:
        UsageError: no object, a key that is unknown or absent, or a value that cannot be meant.
    """
    known = [field.name for field in fields(Wanted)]
    if not isinstance(said, Mapping):
        raise UsageError(
            f"{where}: {said!r} is no object.", remedy='write {"model_id": "bert-base-uncased"}'
        )
    for key in said:
        if key not in known:
            raise UnknownNameError("key", str(key), known, where=where,
                                   remedy=f"keys: {', '.join(known)}")  # fmt: skip
    if "model_id" not in said:
        raise UsageError(f"{where}: there is no model_id.", remedy="name the model")
    return checked(Wanted(**{str(key): value for key, value in said.items()}), where)
