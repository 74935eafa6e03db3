"""The YAML of a network: the configuration, and what is known of its weights."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_potmodels.config_files.table import ConfigFile
from pytest_potmodels.config_files.yaml import as_yaml, read_document
from pytest_potmodels.errors import LUTError, LUTNameError, UnknownNameError, UsageError
from pytest_potmodels.lut.configuration.rules import TABLE, check
from pytest_potmodels.lut.new_file import write_new

#: Of the file. A reader takes its own and older ones.
FORMAT = 1
#: Keys beside those of ModelConfig; what they say is not part of the network.
EXTRAS = ("format", "metrics", "weights", "hardened", "train", "data")
#: Endings of the files that a YAML may name, beside which key.
ENDINGS: Mapping[str, tuple[str, ...]] = {
    "weights": (".safetensors", ".pth"),
    "hardened": (".hard.safetensors",),
}
_YAML = (".yaml", ".yml")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Document:
    """A file that was read: values of ModelConfig, the keys beside them, and places."""

    file: ConfigFile
    values: Mapping[str, Any]
    extras: Mapping[str, Any]

    def where(self, key: str) -> str:
        """`file:line: ` of a field or of a runtime key."""
        below = ("runtime", key)
        return f"{self.file.where(*(below if below in self.file.lines else (key,)))}: "

    def named_file(self, key: str) -> tuple[Path, str] | None:
        """The file that `weights` or `hardened` names, with the sha256 it must have."""
        said = self.extras.get(key)
        return (self.file.path.parent / said["file"], said["sha256"]) if said else None


def read(path: Path, known: tuple[str, ...], required: tuple[str, ...]) -> Document:
    """Read the file of a network; `known` and `required` are fields of ModelConfig.

    Raises:
        LUTError: no such file, not valid YAML, an unknown or a missing key, or a format of a
            later version; with file and line.
    """
    file = _file(path)
    document = _divided(file)
    _check_format(document)
    try:
        file.reject_unknown(file.table, (*known, *EXTRAS))
    except UnknownNameError as error:
        raise LUTNameError(
            "key", error.name, (*known, *EXTRAS), where=file.where(error.name), remedy=error.remedy
        ) from error
    if missing := [key for key in required if key not in file.table]:
        raise LUTError(f"{path} has no {', '.join(missing)}.", remedy=f"add: {missing[0]}: ...")
    _check_extras(document)
    return document


def text_of(values: Mapping[str, Any], extras: Mapping[str, Any]) -> str:
    """The text of a file with these values and these keys beside them."""
    return as_yaml({"format": FORMAT, **values, **extras})


def write(
    path: Path, values: Mapping[str, Any], extras: Mapping[str, Any], *, overwrite: bool
) -> None:
    """Write the file of a network, whole or not at all.

    Raises:
        LUTError: it is there and `overwrite` is not said, it ends otherwise, or the disk does not
            take it.
    """
    if path.suffix not in _YAML:
        ending = path.suffix or "nothing"
        raise LUTError(f"{path} ends in {ending}; configurations end in {' or '.join(_YAML)}.")
    write_new(path, text_of(values, extras).encode(), overwrite=overwrite)


def _file(path: Path) -> ConfigFile:
    try:
        if path.is_file():
            return read_document(path)
    except OSError as error:
        raise LUTError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UsageError as error:
        raise LUTError(error.message, remedy=error.remedy) from error
    raise LUTError(f"There is no configuration file {path}.", remedy="check the path")


def _divided(file: ConfigFile) -> Document:
    extras = {key: value for key, value in file.table.items() if key in EXTRAS}
    return Document(file, {k: v for k, v in file.table.items() if k not in EXTRAS}, extras)


def _check_format(document: Document) -> None:
    said = document.extras.get("format", FORMAT)
    if not isinstance(said, int) or isinstance(said, bool) or said < 1:
        raise LUTError(f"{document.where('format')}format must be {FORMAT}, got {said!r}.")
    if said > FORMAT:
        raise LUTError(
            f"{document.where('format')}format {said} is of a later version; this one reads "
            f"{FORMAT}.",
            remedy="pip install --upgrade pytest-potmodels",
        )


def _check_extras(document: Document) -> None:
    for key in EXTRAS[1:]:
        if document.extras.get(key) is not None:
            check(TABLE, key, document.extras[key], document.where)
    for key, endings in ENDINGS.items():
        if (said := document.extras.get(key)) is not None:
            _check_file(document, key, said, endings)


def _check_file(
    document: Document, key: str, said: Mapping[str, Any], endings: tuple[str, ...]
) -> None:
    # Another name, or one with a folder in it, would be found by no search.
    names = [f"{document.file.path.stem}{ending}" for ending in endings]
    if set(said) != {"file", "sha256"} or said["file"] not in names:
        raise LUTError(
            f"{document.where(key)}{key} is {dict(said)!r}, expected a file and its sha256.",
            remedy=f"{key}: {{file: {names[0]}, sha256: ...}}",
        )
    if not (isinstance(said["sha256"], str) and _SHA256.fullmatch(said["sha256"])):
        raise LUTError(f"{document.where(key)}{key}: sha256 must be 64 hex digits.")
