"""What a source does with files once they have come: an archive is not the model yet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pytest_potmodels.artifacts import RemoteFile, ResolvedModel, StoredFile, StoredModel
from pytest_potmodels.errors import DigestMismatchError
from pytest_potmodels.sources.base import Source
from pytest_potmodels.store.checking import Damage, mismatch
from pytest_potmodels.store.mending import Fetch

if TYPE_CHECKING:
    from pytest_potmodels.transfer import Deadline

#: Formats of which a file may be a part of an archive, in this folder of the entry.
_OF_AN_ARCHIVE = {"torch_hub": "code/"}


#: Refuses files that are not what was promised of them.
Check = Callable[[Sequence[StoredFile]], None]


@runtime_checkable
class Finisher(Source, Protocol):
    """A source whose models are made of what was fetched; most sources have nothing to do."""

    def finish(
        self,
        resolved: ResolvedModel,
        stage: Path,
        files: Sequence[StoredFile],
        deadline: "Deadline",
        check: Check,
    ) -> tuple[StoredFile, ...]:
        """Make the model of the files in the stage; give all files that it has in the end.

        `check` sees files that came out of an archive before any of them is run.

        Raises:
            UnavailableError: they do not make one.
            DigestMismatchError: they are not what they say.
        """
        ...


@dataclass(frozen=True)
class Finished:
    """A fetch, and what the source makes of what came."""

    fetch: Fetch
    #: Opened when it is needed: most sources have nothing to finish.
    open_source: Callable[[], Source]
    resolved: ResolvedModel
    deadline: "Deadline"
    #: What the lock says of files that are not named before they come.
    locked: Check
    #: The entry that this replaces, if its archive must be the same.
    same_as: StoredModel | None = None

    def __call__(self, files: Sequence[RemoteFile], stage: Path) -> tuple[StoredFile, ...]:
        """Bring files to the stage and finish them; raises what both raise."""
        came = self.fetch(files, stage)
        source = self.open_source() if self.resolved.format in _OF_AN_ARCHIVE else None
        if not isinstance(source, Finisher):
            return came
        made = source.finish(self.resolved, stage, came, self.deadline, self._check)
        self.locked(made)
        return made

    def _check(self, code: Sequence[StoredFile]) -> None:
        self.locked(code)
        if self.same_as is not None:
            _require_same(self.same_as, code)


def comes_whole(stored: StoredModel, bad: Sequence[Damage]) -> bool:
    """Whether a damaged file cannot be fetched by itself, since it came out of an archive."""
    folder = _OF_AN_ARCHIVE.get(stored.format)
    return folder is not None and any(damage.file.path.startswith(folder) for damage in bad)


def _require_same(stored: StoredModel, made: Sequence[StoredFile]) -> None:
    """One commit is one code: other bytes under its name are not brought in place of these."""
    folder = _OF_AN_ARCHIVE.get(stored.format, "")
    found = {file.path: file.sha256 for file in made if file.path.startswith(folder)}
    known = {file.path: file for file in stored.files if file.path.startswith(folder)}
    for path, file in known.items():
        if found.get(path) != file.sha256:
            raise mismatch(stored, Damage(file, found.get(path, "no such file")))
    if strange := sorted(set(found) - set(known)):
        raise DigestMismatchError(
            f"{stored.id}: the archive of commit {stored.revision} has files now that it had not: "
            f"{', '.join(strange[:3])}.",
            expected=f"{len(known)} files",
            found=f"{len(found)} files",
            remedy=f"potmodels download --force {stored.id}",
        )
