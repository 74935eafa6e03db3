"""What each value of an ExperimentConfig may be; an error says where the value is written."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_potmodels.catalog.entries import PRESET_KINDS
from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.experiments.plain_values import as_plain

DETERMINISTIC = ("require", "warn", "off")
_DEVICES = ("cpu", "cuda")

#: The name is a folder: no separators, nothing that Windows trims.
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_-])?")
_DEVICES_OF_WINDOWS = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_LONGEST_NAME = 100
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
#: numpy takes no larger one.
_LARGEST_SEED = 2**32 - 1

#: Says where a key is written: `file:line`, or the class.
Where = Callable[[str], str]


def check(values: Mapping[str, Any], where: Where) -> None:
    """Accept values that can be meant; unknown keys are errors, absent ones are not.

    Raises:
        UsageError: the first that cannot, with its place.
    """
    for key, value in values.items():
        if key not in _CHECKS:
            raise UnknownNameError(
                "key", str(key), _CHECKS, where=where(key), remedy=f"keys: {', '.join(_CHECKS)}"
            )
        _CHECKS[key](key, value, where(key))


def _name(key: str, value: Any, where: str) -> None:
    _text(key, value, where)
    good = _NAME.fullmatch(value) and len(value) <= _LONGEST_NAME
    if not good or _DEVICES_OF_WINDOWS.fullmatch(value):
        clean = re.sub(r"[^A-Za-z0-9_-]+", "_", value).strip("_")[:_LONGEST_NAME]
        usable = clean and not _DEVICES_OF_WINDOWS.fullmatch(clean)
        raise UsageError(
            f"{where}: {key} {value!r} is no name for a folder on every system.",
            remedy=f"letters, digits, '_', '-' and '.': {clean if usable else 'my_experiment'}",
        )


def _text(key: str, value: Any, where: str) -> None:
    if not isinstance(value, str):
        raise _expected("a string", key, value, where)


def _model(key: str, value: Any, where: str) -> None:
    _text(key, value, where)
    if not value.strip():
        raise UsageError(f"{where}: {key} is empty.", remedy="for example: minimal, test, resnet18")


def _word(known: Sequence[str]) -> Callable[[str, Any, str], None]:
    def check_word(key: str, value: Any, where: str) -> None:
        if value not in known:
            remedy = f"one of: {', '.join(known)}"
            raise UnknownNameError(key, str(value), known, where=where, remedy=remedy)

    return check_word


def _device(key: str, value: Any, where: str) -> None:
    if not re.fullmatch(r"cuda:\d+", str(value)):
        _word(_DEVICES)(key, value, where)


def _whole(least: int, most: int | None = None) -> Callable[[str, Any, str], None]:
    def check_whole(key: str, value: Any, where: str) -> None:
        fits = isinstance(value, int) and not isinstance(value, bool) and value >= least
        if not fits or (most is not None and value > most):
            bounds = f"at least {least}" if most is None else f"from {least} to {most}"
            raise _expected(f"a whole number {bounds}", key, value, where)

    return check_whole


def _optional(
    check_value: Callable[[str, Any, str], None],
) -> Callable[[str, Any, str], None]:
    def check_unless_none(key: str, value: Any, where: str) -> None:
        if value is not None:
            check_value(key, value, where)

    return check_unless_none


def _switch(key: str, value: Any, where: str) -> None:
    if not isinstance(value, bool):
        raise _expected("true or false", key, value, where)


def _positive(key: str, value: Any, where: str) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not value > 0:
        raise _expected("a number above 0", key, value, where)


def _checksum(key: str, value: Any, where: str) -> None:
    if not (isinstance(value, str) and _SHA256.fullmatch(value.strip())):
        raise _expected("a sha256 of 64 hex digits", key, value, where)


def _folder(key: str, value: Any, where: str) -> None:
    if not isinstance(value, str | Path) or not str(value).strip():
        raise _expected("a folder", key, value, where)


def _tags(key: str, value: Any, where: str) -> None:
    if not isinstance(value, list | tuple) or not all(isinstance(tag, str) for tag in value):
        raise _expected("a list of strings", key, value, where)


def _parameters(key: str, value: Any, where: str) -> None:
    if not isinstance(value, Mapping):
        raise _expected("a table", key, value, where)
    try:
        as_plain(value, key)
    except UsageError as error:
        raise UsageError(f"{where}: {error.message}", remedy=error.remedy) from None


def _expected(what: str, key: str, value: Any, where: str) -> UsageError:
    return UsageError(f"{where}: {key} is {value!r}, expected {what}.")


_CHECKS: dict[str, Callable[[str, Any, str], None]] = {
    "experiment_name": _name,
    "model_type": _word(PRESET_KINDS),
    "model_architecture": _model,
    "seed": _whole(0, _LARGEST_SEED),
    "repeats": _whole(1),
    "device": _device,
    "threads": _optional(_whole(1)),
    "deterministic": _word(DETERMINISTIC),
    "fallback_to_mock": _switch,
    "expected_checksum": _optional(_checksum),
    "memory_limit_mb": _optional(_positive),
    "output_dir": _folder,
    "description": _text,
    "tags": _tags,
    "parameters": _parameters,
}
