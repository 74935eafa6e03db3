"""The folder that a CI service keeps between jobs: models and nothing else, or it is not touched.

Whatever else lies in it goes, so it is never one that somebody else keeps files in.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from pytest_potmodels.ci.event import runner
from pytest_potmodels.errors import StoreError, UsageError
from pytest_potmodels.identifiers import SOURCES
from pytest_potmodels.store import disk
from pytest_potmodels.store.layout import Layout

#: Other tools write a `*` alone, into folders of theirs; the first line says whose this one is.
_IGNORE = "# The cache of `potmodels ci`: whatever is no model of the job is deleted.\n*\n"
_MARK = ".gitignore"
_LABELS = frozenset({_MARK, "CACHEDIR.TAG", "README.txt"})
#: What the use of a cache leaves beside the models, also of an entry that was saved unpruned.
_OF_USE = frozenset({"derived", ".pot"})


def workspace(environ: Mapping[str, str]) -> Path:
    """Where the job has its checkout: as the runner says, else the current folder."""
    return Path(runner(environ).get("GITHUB_WORKSPACE") or Path.cwd()).absolute()


def place(cache_dir: str, environ: Mapping[str, str]) -> Path:
    """The folder, as of the workspace.

    Raises:
        UsageError: it holds the workspace or the home of the user, and would be emptied.
    """
    top = workspace(environ)
    written = Path(os.path.normpath(top / _from_home(cache_dir)))
    # Not the folder itself: an entry may have brought a link in its place.
    found = written.parent.resolve() / written.name
    for kept in (top.resolve(), Path.cwd().resolve(), *_home()):
        if kept == found or found in kept.parents:
            raise _not_ours(found, f"it holds {kept}")
    return found


def claim(folder: Path) -> Layout:
    """Have the folder, marked as a cache that no version control sees.

    Raises:
        UsageError: it holds what no cache of a job does, or is no folder.
        StoreError: it cannot be written.
    """
    try:
        if folder.is_symlink():
            disk.delete(folder)
        if not _is_marked(folder):
            for why in _foreign(folder):
                raise _not_ours(folder, why)
            _mark(folder)
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be the cache of this job: {error.strerror or error}.",
            remedy="name a folder that can be written: --cache-dir .potmodels-cache",
        ) from error
    return Layout.at(folder)


def sweep(layout: Layout) -> tuple[str, ...]:
    """Delete all but the models; say what was there.

    Raises:
        OSError: something cannot be deleted.
    """
    _open_up(layout.root)
    gone = []
    for path in sorted(layout.root.iterdir()):
        is_models = path == layout.models and path.is_dir() and not path.is_symlink()
        if not is_models and not (path.name in _LABELS and disk.is_plain(path)):
            disk.delete(path)
            gone.append(path.name)
    return tuple(gone)


def strange(swept: tuple[str, ...]) -> tuple[str, ...]:
    """What of it no use of a cache leaves there."""
    return tuple(name for name in swept if name not in _OF_USE)


def _open_up(root: Path) -> None:
    """Have all folders be listed and emptied; an archive may leave some that are closed."""
    for each in disk.below(root):  # Each folder comes before what is in it.
        with suppress(OSError):
            if not each.is_symlink() and each.is_dir():
                each.chmod(each.stat().st_mode | stat.S_IRWXU)


def _is_marked(folder: Path) -> bool:
    mark = folder / _MARK
    return disk.is_plain(mark) and mark.read_text("utf-8", "replace") == _IGNORE


def _mark(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / _MARK
    if mark.is_symlink() or mark.exists():
        disk.delete(mark)
    mark.write_text(_IGNORE, encoding="utf-8")


def _foreign(folder: Path) -> Iterator[str]:
    """Why a folder that nobody has marked is somebody's."""
    if folder.exists() and not folder.is_dir():
        yield "it is no folder"
    if not folder.is_dir():
        return
    names = {path.name for path in folder.iterdir()}
    yield from (f"it holds {name}" for name in sorted(names - _LABELS - _OF_USE - {"models"}))
    models = folder / "models"
    if models.is_dir() and not models.is_symlink():
        yield from (f"it holds models/{name}" for name in _no_entries(models))
    for name in sorted(names & _OF_USE):
        yield f"{name} is there, so something beside this job uses it"


def _no_entries(models: Path) -> list[str]:
    begins = tuple(f"{source}_" for source in SOURCES)
    return [each.name for each in sorted(models.iterdir()) if not each.name.startswith(begins)]


def _from_home(cache_dir: str) -> Path:
    try:
        return Path(cache_dir).expanduser()
    except RuntimeError as error:
        raise UsageError(
            f"cache-dir: there is no home folder that {cache_dir!r} could be below.",
            remedy="name a folder of the workspace: --cache-dir .potmodels-cache",
        ) from error


def _home() -> Iterator[Path]:
    with suppress(RuntimeError):  # A container may run as a user whom nobody knows.
        yield Path.home().resolve()


def _not_ours(folder: Path, why: str) -> UsageError:
    return UsageError(
        f"{folder} is no folder for a cache of models: {why}, and all but the models is deleted "
        "there.",
        remedy="name one of its own: --cache-dir .potmodels-cache",
    )
