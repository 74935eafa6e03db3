"""What later steps of a job read: outputs, variables, annotations; in GitHub's own forms.

Names of models come from whoever wrote the lock file, in a pull request from a stranger. None of
them may end a value, begin another, or be taken for a command.
"""

import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from pytest_potmodels.ci.event import runner
from pytest_potmodels.ci.warming import Warming
from pytest_potmodels.errors import StoreError

Level = Literal["error", "warning", "notice"]

#: Where a runner begins a line, and how a line becomes a command: `::` first, or `##[` anywhere.
_COMMAND = re.compile(r"(^|[\r\n])([^\S\r\n]*)::")
_OLD_COMMAND = "##["


def write_outputs(values: Mapping[str, str], environ: Mapping[str, str]) -> None:
    """Append outputs of this step; without a runner there is nobody to read them.

    Raises:
        StoreError: the file cannot be written.
    """
    _append(runner(environ).get("GITHUB_OUTPUT"), values)


def export(values: Mapping[str, str], environ: Mapping[str, str]) -> None:
    """Set variables of the later steps of the job; raises like `write_outputs`."""
    _append(runner(environ).get("GITHUB_ENV"), values)


def write_summary(text: str, environ: Mapping[str, str]) -> None:
    """Append to the summary of the job; raises like `write_outputs`."""
    if path := runner(environ).get("GITHUB_STEP_SUMMARY"):
        _write(path, text)


def after_warming(cache_dir: Path, *, offline: bool) -> dict[str, str]:
    """The variables of later steps: the models are in the cache, and nothing else is had."""
    closed = {"POT_NETWORK": "block", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    return {"POT_CACHE_DIR": str(cache_dir), **(closed if offline else {})}


def of_warming(warming: Warming, *, save: bool) -> dict[str, object]:
    """The outputs of `ci warm`; `save`: whether this job may save an entry."""
    whole = warming.complete and warming.state not in ("off", "refused")
    return {
        "cache-hit": warming.state == "hit",
        "cache-state": warming.state,
        "models": [
            {
                "name": row.name,
                "revision": row.revision,
                "source": row.source,
                "bytes": row.bytes,
                "state": row.state,
                "seconds": round(row.seconds, 2),
            }
            for row in warming.rows
        ],
        "downloaded-bytes": warming.downloaded_bytes,
        "verified-bytes": warming.verified_bytes,
        "network-requests": warming.requests,
        "seconds": round(warming.seconds, 2),
        "save-needed": save and whole and warming.changed,
        "verified-against": warming.law,
    }


def annotation(level: Level, message: str, *, file: str = "", line: int = 0) -> str:
    """A line that GitHub shows beside the file."""
    facts = {"file": file, "line": str(line) if line else ""}
    said = ",".join(f"{key}={_property(value)}" for key, value in facts.items() if value)
    return f"::{level}{' ' if said else ''}{said}::{_data(message)}\n"


def masked(secret: str) -> str:
    """A line that has the runner keep a secret out of its log."""
    return f"::add-mask::{_escaped(secret)}\n"


def harmless(text: str) -> str:
    """The text as a log may have it: no part of it is a command to the runner."""
    return _COMMAND.sub(r"\1\2: :", text).replace(_OLD_COMMAND, "## [")


def _data(text: str) -> str:
    printable = (
        c if c in "\r\n" or c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )
    return _escaped("".join(printable).replace(_OLD_COMMAND, "## ["))


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _append(path: str | None, values: Mapping[str, str]) -> None:
    if path:
        _write(path, "".join(_heredocs(values.items())))


def _heredocs(values: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in values:
        # Nobody who wrote the value could know it.
        end = f"pot_{secrets.token_hex(16)}"
        yield f"{name}<<{end}\n{value}\n{end}\n"


def _write(path: str, text: str) -> None:
    try:
        with Path(path).open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror or error}.") from error
