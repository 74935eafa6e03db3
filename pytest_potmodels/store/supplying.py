"""Files that need not come over the network: they lie in the stage before the rest is fetched."""

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_potmodels.artifacts import RemoteFile, StoredFile
from pytest_potmodels.store import signatures
from pytest_potmodels.store.mending import Fetch
from pytest_potmodels.store.signatures import Signature

_log = logging.getLogger(__name__)

#: Puts what it has of some files into the stage, whole, each under its own path, and may say of a
#: path where that came from. What it has not, it leaves alone.
Supply = Callable[[Sequence[RemoteFile], Path], Mapping[str, str] | None]

#: A file as it lay there when it had come, and how it came.
Arrived = tuple[Signature, str]


@dataclass(frozen=True)
class Supplied:
    """A fetch that is preceded by supplies, each with the word for what it brings.

    The fetch hashes what lies in the stage, and drops and downloads what is not what was promised.
    """

    fetch: Fetch
    supplies: Sequence[tuple[str, Supply]]

    def __call__(self, files: Sequence[RemoteFile], stage: Path) -> tuple[StoredFile, ...]:
        """Bring files to `stage/<path>`; raises what the fetch raises."""
        came: dict[str, Arrived] = {}
        for word, supply in self.supplies:
            missing = [str(file.path) for file in files if _mark(stage, str(file.path)) is None]
            wanted = [file for file in files if str(file.path) in missing]
            said = (supply(wanted, stage) if wanted else None) or {}
            for path in missing:
                if (mark := _mark(stage, path)) is not None:
                    came[path] = mark, said.get(path, word)
        # What a source unpacks has other paths than what was fetched.
        return tuple(_labelled(done, stage, came) for done in self.fetch(files, stage))


def _labelled(done: StoredFile, stage: Path, came: Mapping[str, Arrived]) -> StoredFile:
    if done.path not in came:
        return done
    mark, how = came[done.path]
    if mark != _mark(stage, done.path):
        _log.warning("%s, %s, is not what upstream promises: downloaded", done.path, how)
        return done
    _log.info("%s: %s", done.path, how)
    return replace(done, came=how)


def _mark(stage: Path, path: str) -> Signature | None:
    """What tells a file from another in its place; an inode alone may be given out again."""
    with contextlib.suppress(OSError, ValueError):
        return signatures.of_facts((stage / path).lstat())
    return None
