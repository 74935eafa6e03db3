"""From what was written to a value: words, times, counts, sizes, mirrors."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pytest_potmodels.config_files.table import ConfigFile
from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.settings import PRESETS
from pytest_potmodels.settings.options import Option
from pytest_potmodels.settings.remotes import read_remote
from pytest_potmodels.settings.trust import read_trust

#: In place of a lock file: without one, and without `locked`.
WITHOUT_LOCK = "none"
#: The forms in which a report can be written, by the suffix of the file.
REPORTS = (".json",)


def parse(option: Option, raw: Any, origin: str, config: ConfigFile | None) -> Any:
    """The value of an option as it was written at `origin`.

    Raises:
        UsageError: a word that is not among the choices, or not a number, size, time, URL.
    """
    if option.key == "preset":
        own = config.table.get("presets") if config else None
        return _word(raw, (*PRESETS, *(own if isinstance(own, dict) else ())), origin)
    if option.key == "device" and re.fullmatch(r"cuda:\d+", str(raw)):
        return raw
    if option.choices:
        return _word(raw, option.choices, origin)
    if option.metavar in ("DIR", "FILE"):
        return _path(option, raw, origin, config)
    try:
        if option.key == "remote":
            return read_remote(raw, _base(origin, config), origin)
        return _PARSERS[option.key](raw)
    except ValueError as error:
        raise UsageError(f"{origin}: {error}") from None


def _path(option: Option, raw: Any, origin: str, config: ConfigFile | None) -> Path | None:
    """A path, relative to the file that says so, or to the current folder."""
    if not isinstance(raw, str | Path) or not str(raw):
        raise UsageError(f"{origin}: {raw!r} is no path.")
    if option.key == "lock" and str(raw) == WITHOUT_LOCK:
        return None
    suffix = Path(raw).suffix
    if option.key == "report" and suffix not in REPORTS:
        raise UsageError(
            f"{origin}: a report {str(raw)!r} cannot be written: its name ends in "
            f"{suffix or 'no suffix'}.",
            remedy=f"suffixes: {', '.join(REPORTS)}",
        )
    return _base(origin, config) / Path(raw).expanduser()


def _base(origin: str, config: ConfigFile | None) -> Path:
    """Where a relative path starts that was written at `origin`."""
    return config.path.parent if config and origin.startswith(str(config.path)) else Path.cwd()


def _word(raw: Any, known: Sequence[str], origin: str) -> str:
    if raw not in known:
        raise UnknownNameError(
            "value", str(raw), known, where=origin, remedy=f"one of: {', '.join(known)}"
        )
    return str(raw)


def _seconds(raw: Any) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|h|)", str(raw).strip())
    seconds = float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]] if match else 0.0
    if seconds <= 0:
        raise ValueError(f"{raw!r} is no time; write seconds (600), minutes (10m) or hours (1h).")
    return seconds


def _count(minimum: int) -> Callable[[Any], int]:
    def parse(raw: Any) -> int:
        if not re.fullmatch(r"\d+", str(raw)) or int(raw) < minimum:
            raise ValueError(f"{raw!r} is no whole number of at least {minimum}.")
        return int(raw)

    return parse


def parse_size(raw: Any) -> int:
    """Bytes of a size such as `500MB`, `1.5 GiB` or `1000000`.

    Raises:
        ValueError: not a size.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?", str(raw).strip(), re.IGNORECASE)
    if not match:
        raise ValueError(f"{raw!r} is no size; write 500MB, 5GB or 2GiB.")
    base = 1024 if match[3] else 1000
    return int(float(match[1]) * base ** " KMGT".index(match[2].upper() or " "))


def _gigabytes(raw: Any) -> float:
    gigabytes = _number(raw)
    if not gigabytes:
        raise ValueError(f"{raw!r} is no number of GB; write 50. Without it nothing is cleaned up.")
    return gigabytes


def _days(raw: Any) -> float:
    days = _number(raw)
    if days is None:
        raise ValueError(f"{raw!r} is no number of days; write 14.")
    return days


def _number(raw: Any) -> float | None:
    text = str(raw).strip()
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else None


def _mirrors(raw: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(raw, str | list | tuple):
        raise ValueError(f"{raw!r} is no list of mirrors; write ['https://OLD=https://NEW'].")  # noqa: TRY004
    rules = raw.split() if isinstance(raw, str) else raw
    parsed = []
    for rule in rules:
        old, equals, new = str(rule).partition("=")
        if not (equals and _is_url(old) and _is_url(new)):
            raise ValueError(f"{rule!r} is no mirror; write https://OLD=https://NEW.")
        parsed.append((old, new))
    return tuple(parsed)


def _is_url(text: str) -> bool:
    return re.match(r"https?://[^/\s]", text) is not None


def _switch(raw: Any) -> bool:
    said = {"1": True, "true": True, "on": True, "yes": True,
            "0": False, "false": False, "off": False, "no": False}  # fmt: skip
    if str(raw).lower() not in said:
        raise ValueError(f"{raw!r} is neither true nor false.")
    return said[str(raw).lower()]


_PARSERS: dict[str, Callable[[Any], Any]] = {
    "timeout": _seconds,
    "retries": _count(0),
    "jobs": _count(1),
    "max_size": parse_size,
    "memory": parse_size,
    "mirror": _mirrors,
    "trust": read_trust,
    "cleanup_threshold": _gigabytes,
    "cleanup_min_age_days": _days,
    "affinity": _switch,
    "locked": _switch,
    "check_mutations": _switch,
}
