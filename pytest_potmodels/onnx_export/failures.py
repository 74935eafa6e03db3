"""What could not be made lately: whoever wants it again hears why, and does not try for minutes.

A record is of one key, and so of one model, recipe and set of versions. It is this machine's alone.
"""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest_potmodels
from pytest_potmodels.errors import ModelConversionError, ModelUnsupportedError
from pytest_potmodels.onnx_export.ladder import Limits
from pytest_potmodels.store import disk, plain_json
from pytest_potmodels.store.derived import DerivedStore, Write

_FOLDER = "failed-exports"
_MINUTE, _HOUR = 60.0, 3600.0
_KINDS: Mapping[str, type[ModelConversionError]] = {
    "unsupported": ModelUnsupportedError,
    "conversion": ModelConversionError,
}
#: Seconds that a failure is believed. What nothing can export, nothing can export tomorrow; a
#: machine that had no time or memory may have some later.
_LASTS: Mapping[str, float] = {"unsupported": 24 * _HOUR, "conversion": _HOUR}


@dataclass(frozen=True)
class Failures:
    """The failures of one key.

    Args:
        derived: the store whose machine-local folder keeps them.
        key: of what could not be made.
        versions: of all that had a part in it.
        limits: on this try; a failure under narrower ones is no answer to it.
    """

    derived: DerivedStore
    key: str
    versions: Mapping[str, str]
    limits: Limits

    def check(self) -> None:
        """Pass if there is no reason not to try.

        Raises:
            ModelConversionError: what an earlier try came to, and when.
        """
        for file in self._files():
            with suppress(OSError, ValueError, TypeError, LookupError, RecursionError):
                said = plain_json.typed(dict, plain_json.load(file))
                if (found := self._error(said, file)) is not None:
                    raise found

    def kept(self, write: Write) -> Write:
        """The same work, whose failure is remembered; not begun where another process failed."""

        def tried(folder: Path) -> Mapping[str, Any]:
            self.check()
            try:
                return write(folder)
            except ModelConversionError as error:
                self.remember(error)
                raise

        return tried

    def remember(self, error: ModelConversionError) -> None:
        """Write a failure down where the folder takes it."""
        kind = "unsupported" if isinstance(error, ModelUnsupportedError) else "conversion"
        said = {
            "kind": kind,
            "message": error.message,
            "remedy": error.remedy,
            "tried": list(error.tried),
            "at": time.time(),
            "made_by": self._made_by(),
            "seconds": self.limits.seconds,
            "memory": self.limits.memory,
        }
        for file in self._files():
            with suppress(OSError):
                file.parent.mkdir(parents=True, exist_ok=True)
                _forget_old(file.parent)
                disk.write_whole(file, json.dumps(said))
                return

    def forget(self) -> None:
        """Have the next try be one."""
        for file in self._files():
            with suppress(OSError):
                file.unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        name = f"{self.key}.json"
        return [layout.machine / _FOLDER / name for layout in self.derived.layouts]

    def _made_by(self) -> dict[str, str]:
        return {**self.versions, "pytest-potmodels": pytest_potmodels.__version__}

    def _error(self, said: Mapping[str, Any], file: Path) -> ModelConversionError | None:
        kind, age = _KINDS[said["kind"]], time.time() - said["at"]
        wider = self.limits.seconds > said["seconds"] or self.limits.memory > said["memory"]
        if not 0 <= age < _LASTS[said["kind"]] or said["made_by"] != self._made_by():
            return None
        if wider and kind is ModelConversionError:
            return None
        again = f"to try again now, delete {file}"
        return kind(
            f"{said['message']}\n  This was found {_ago(age)}, and is not tried again for now.",
            tried=said["tried"],
            remedy=f"{said['remedy']}; {again}" if said["remedy"] else again,
        )


def forget_all(derived: DerivedStore) -> None:
    """Have every next try of a store be one."""
    for layout in derived.layouts:
        for file in (layout.machine / _FOLDER).glob("*.json"):
            with suppress(OSError):
                file.unlink()


def _forget_old(folder: Path) -> None:
    for file in folder.glob("*.json"):
        if time.time() - file.stat().st_mtime > max(_LASTS.values()):
            file.unlink()


def _ago(seconds: float) -> str:
    minutes = round(seconds / _MINUTE)
    if not minutes:
        return "just now"
    return (
        f"{minutes} minutes ago" if seconds < 2 * _HOUR else f"{round(seconds / _HOUR)} hours ago"
    )
