"""Read a lock file. People merge and edit it, so every mistake has its line."""

import errno
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.identifiers import SOURCES, ModelId, checked
from pytest_potmodels.lockfile.entries import VERSION, Key, Lock, LockedFile, LockedModel
from pytest_potmodels.lockfile.lines import Lines

_KEYS = ("version", "model")
_MODEL_KEYS = (
    "source", "id", "names", "aliases", "ref", "revision", "architecture", "weights", "license",
    "gated", "files",
)  # fmt: skip
_FILE_KEYS = ("path", "size", "sha256", "url")
_REQUIRED = ("source", "id", "gated", "files")

#: Bytes; a lock of 50,000 files is smaller.
_LARGEST = 16 * 1024 * 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")
#: Drives and streams of Windows, its separator; control characters.
_FORBIDDEN = re.compile(r"[\\:\x00-\x1f\x7f]")
#: What a merge that nobody has finished leaves.
_CONFLICT = re.compile(r"^(<<<<<<<|=======|>>>>>>>)", re.MULTILINE)

_REMEDY = (
    "restore it from version control, or delete it and make it anew: potmodels lock --from-tests"
)
_KINDS = {str: "a text", int: "a whole number", bool: "true or false", list: "a list"}


def read(path: Path) -> Lock:
    """Read a lock file.

    Raises:
        UsageError: there is none, or it holds what a lock cannot hold; with file and line.
    """
    try:
        return _Reader(path, _text(path)).lock()
    except OSError as error:
        raise UsageError(
            f"There is no lock file that can be read at {path}: {error.strerror or error}.",
            remedy=f"make it: potmodels lock NAME... --lock {path}",
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text: {error}.", remedy=_REMEDY) from error


def _text(path: Path) -> str:
    if path.exists() and not path.is_file():  # A pipe or device would never end.
        raise OSError(errno.EINVAL, "it is no plain file")
    if path.stat().st_size > _LARGEST:
        raise OSError(errno.EFBIG, f"it has more than {_LARGEST} bytes")
    return path.read_text(encoding="utf-8-sig")  # Windows editors may put a mark in front.


class _Reader:
    """One text, and where in it things are."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text
        self._lines = Lines(text)

    def lock(self) -> Lock:
        table = self._table()
        self._check_version(table)  # First: a newer version may have other keys.
        self._known(table, _KEYS, 0)
        entries = self._typed(list, table.get("model", []), "model", 0)
        models = tuple(self._model(entry, number) for number, entry in enumerate(entries))
        self._reject_twice(models)
        return Lock(self._path, models)

    def _table(self) -> dict[str, Any]:
        if found := _CONFLICT.search(self._text):
            line = self._text.count("\n", 0, found.start()) + 1
            remedy = "take either side, then: potmodels lock --from-tests"
            raise self._wrong(line, "a merge that is not finished", remedy)
        try:
            return tomllib.loads(self._text)
        # tomllib lets int's own error through for thousands of digits.
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{self._path} is no valid TOML: {error}.", remedy=_REMEDY) from error

    def _check_version(self, table: Mapping[str, Any]) -> None:
        if table.get("version") != VERSION or type(table["version"]) is not int:
            found = repr(table["version"]) if "version" in table else "no version"
            raise self._wrong(
                self._lines.top("version"),
                f"a lock of version {VERSION} is expected, found {found}",
                "use the version of pytest-potmodels that made it, or delete it and make it anew: "
                "potmodels lock --from-tests",
            )

    def _model(self, entry: Any, number: int) -> LockedModel:
        line = self._lines.model(number)
        facts = self._typed(dict, entry, "model", line)
        self._known(facts, _MODEL_KEYS, line, number)
        for key in _REQUIRED:
            if key not in facts:
                raise self._wrong(line, f"the model has no {key!r}")
        names, aliases = (
            self._words(facts.get(key, []), key, number) for key in ("names", "aliases")
        )
        texts = {
            key: self._typed(str, facts[key], key, self._lines.key(number, key))
            for key in _MODEL_KEYS
            if key in facts and key not in ("names", "aliases", "gated", "files")
        }
        gated = self._typed(bool, facts["gated"], "gated", self._lines.key(number, "gated"))
        files = self._files(facts["files"], number)
        model = LockedModel(
            **texts, names=names, aliases=aliases, gated=gated, files=files, line=line
        )
        self._check_ids(model, number)
        return model

    def _check_ids(self, model: LockedModel, number: int) -> None:
        if model.source not in SOURCES or model.source == "mock":
            known = [source for source in SOURCES if source != "mock"]
            where = f"{self._path}:{self._lines.key(number, 'source')}"
            raise UnknownNameError("source", model.source, known, where=where, remedy=_REMEDY)
        try:
            for name in sorted(model.ids):
                checked(ModelId(model.source, name))
            for revision in (model.ref, model.revision):
                checked(ModelId(model.source, model.id, revision))
        except UsageError as error:
            raise self._wrong(self._lines.key(number, "id"), error.message) from None

    def _files(self, value: Any, number: int) -> tuple[LockedFile, ...]:
        line = self._lines.key(number, "files")
        entries = self._typed(list, value, "files", line)
        files = tuple(self._file(entry, number, place) for place, entry in enumerate(entries))
        seen: set[str] = set()
        for file in files:
            if file.path.casefold() in seen:  # One file on macOS and Windows.
                raise self._wrong(file.line, f"the file {file.path!r} is there twice")
            seen.add(file.path.casefold())
        return files

    def _file(self, entry: Any, number: int, place: int) -> LockedFile:
        line = self._lines.file(number, place)
        facts = self._typed(dict, entry, "file", line)
        self._known(facts, _FILE_KEYS, line)
        for key in _FILE_KEYS[:3]:
            if key not in facts:
                raise self._wrong(line, f"the file has no {key!r}")
        path, sha256, url = (
            self._typed(str, facts.get(key, ""), key, line) for key in ("path", "sha256", "url")
        )
        size = self._typed(int, facts["size"], "size", line)
        if {"", ".", ".."} & set(path.split("/")) or _FORBIDDEN.search(path):
            raise self._wrong(line, f"the path {path!r} does not stay in the model's folder")
        if not _SHA256.fullmatch(sha256):
            raise self._wrong(line, f"sha256 {sha256!r} is not 64 hex digits in lower case")
        if size < 0:
            raise self._wrong(line, f"size {size} is less than nothing")
        return LockedFile(path, size, sha256, url, line)

    def _reject_twice(self, models: tuple[LockedModel, ...]) -> None:
        keys: dict[Key, int] = {}
        names: dict[str, int] = {}
        for model in models:
            if model.key in keys:
                first = f"first in line {keys[model.key]}"
                raise self._wrong(model.line, f"{model} is there twice, {first}")
            keys[model.key] = model.line
            for name in model.names:
                if name in names:
                    first = f"first in line {names[name]}"
                    raise self._wrong(model.line, f"the name {name!r} is there twice, {first}")
                names[name] = model.line

    def _words(self, value: Any, key: str, number: int) -> tuple[str, ...]:
        line = self._lines.key(number, key)
        return tuple(
            self._typed(str, each, key, line) for each in self._typed(list, value, key, line)
        )

    def _known(
        self, table: Mapping[str, Any], known: tuple[str, ...], line: int, number: int | None = None
    ) -> None:
        for key in table:
            if key not in known:
                found = line or self._lines.top(key)
                found = found if number is None else self._lines.key(number, key)
                where = f"{self._path}:{found}"
                remedy = f"keys: {', '.join(known)}; a newer pytest-potmodels may know more"
                raise UnknownNameError("key", key, known, where=where, remedy=remedy)

    def _typed(self, kind: type[Any], value: Any, key: str, line: int) -> Any:
        if type(value) is not kind:  # TOML's types are exact, and a bool is no size.
            expected = _KINDS.get(kind, "a table")
            raise self._wrong(line, f"{key} is {value!r:.80}, expected {expected}")
        return value

    def _wrong(self, line: int, what: str, remedy: str = _REMEDY) -> UsageError:
        place = f"{self._path}:{line}" if line else str(self._path)
        return UsageError(f"{place}: {what.removesuffix('.')}.", remedy=remedy)
