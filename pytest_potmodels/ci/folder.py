"""The folder that a CI service keeps between jobs: models and nothing else, or it is not touched.

Whatever else lies in it goes, so it is never one that somebody else keeps files in.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_potmodels.ci.event import runner
from pytest_potmodels.errors import UsageError
from pytest_potmodels.identifiers import SOURCES
from pytest_potmodels.store import disk
from pytest_potmodels.store.layout import Layout

_IGNORE = "*\n"
_MARK = ".gitignore"
_LABELS = frozenset({_MARK, "CACHEDIR.TAG", "README.txt"})
_OURS = frozenset({*_LABELS, "models", "derived", ".pot"})


def place(cache_dir: str, environ: Mapping[str, str]) -> Path:
    """The folder, as of the workspace: the one of the job, else the current folder.

    Raises:
        UsageError: it holds the workspace or the home of the user, and would be emptied.
    """
    workspace = Path(runner(environ).get("GITHUB_WORKSPACE") or Path.cwd()).absolute()
    written = Path(os.path.normpath(workspace / Path(cache_dir).expanduser()))
    # Not the folder itself: an entry may have brought a link in its place.
    found = written.parent.resolve() / written.name
    for kept in (workspace.resolve(), Path.cwd().resolve(), Path.home().resolve()):
        if kept == found or found in kept.parents:
            raise _not_ours(found, f"it holds {kept}")
    return found


def claim(folder: Path) -> Layout:
    """Have the folder, marked as a cache that no version control sees.

    Raises:
        UsageError: it holds what no cache of ours does.
        OSError: it cannot be written.
    """
    if folder.is_symlink() or folder.is_file():
        disk.delete(folder)
    mark = folder / _MARK
    if not (disk.is_plain(mark) and mark.read_text("utf-8", "replace") == _IGNORE):
        for path in _foreign(folder):
            raise _not_ours(folder, f"it holds {path.relative_to(folder)}")
        folder.mkdir(parents=True, exist_ok=True)
        if mark.is_symlink() or mark.exists():
            disk.delete(mark)
        mark.write_text(_IGNORE, encoding="utf-8")
    return Layout.at(folder)


def sweep(layout: Layout) -> tuple[str, ...]:
    """Delete all but the models; say what was there.

    Raises:
        OSError: something cannot be deleted.
    """
    gone = []
    for path in sorted(layout.root.iterdir()):
        is_models = path == layout.models and path.is_dir() and not path.is_symlink()
        if not is_models and not (path.name in _LABELS and disk.is_plain(path)):
            disk.delete(path)
            gone.append(path.name)
    return tuple(gone)


def _foreign(folder: Path) -> Iterator[Path]:
    """What is in a folder that nobody has marked and that no cache has."""
    if not folder.is_dir():
        return
    begins = tuple(f"{source}_" for source in SOURCES)
    for path in sorted(folder.iterdir()):
        if path.name not in _OURS:
            yield path
    models = folder / "models"
    if models.is_dir() and not models.is_symlink():
        yield from (path for path in sorted(models.iterdir()) if not path.name.startswith(begins))


def _not_ours(folder: Path, why: str) -> UsageError:
    return UsageError(
        f"{folder} is no folder for a cache of models: {why}, and a cache keeps nothing else.",
        remedy="name one of its own: --cache-dir .potmodels-cache",
    )
