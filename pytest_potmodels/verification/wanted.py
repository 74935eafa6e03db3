"""One file of one model, as somebody asked for it."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from typing import Any

from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.identifiers import parse, split_file
from pytest_potmodels.onnx_export import family_names, recipes

DEFAULT_FILE = "model.onnx"
_PART = re.compile(r"\w[\w.+-]*")


@dataclass(frozen=True)
class Wanted:
    """A model, the path of its file, and its type where somebody knows better than the model."""

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
    if wanted.model_type:
        family_names.check(wanted.model_type, recipes.registered(), where=where)
    return _named(wanted, place)


def _named(wanted: Wanted, place: str) -> Wanted:
    """A name may be that of one file: `huggingface:org/x:onnx/model.onnx`."""
    file = ""
    with suppress(UsageError):  # The catalog will say what is wrong with it.
        named = parse(wanted.model_id)
        file = split_file(named)[1] if named else ""
    if file and wanted.file_path not in (DEFAULT_FILE, file):
        raise UsageError(
            f"{place}{wanted.model_id} names another file than file_path {wanted.file_path!r}.",
            remedy="leave one of them out",
        )
    return replace(wanted, file_path=file) if file else wanted


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
