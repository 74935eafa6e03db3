"""Where a remote file may lie: inside the stage, on every file system."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from pytest_potmodels import file_names
from pytest_potmodels.errors import StoreError

PART = ".part"


def target(stage: Path, path: PurePosixPath) -> Path:
    """The place of `path` in the stage.

    Raises:
        StoreError: the path leads out of the stage, or is no file name on some system.
    """
    found = trouble(path)
    place = stage.joinpath(*path.parts)
    if not found and not place.parent.resolve().is_relative_to(stage.resolve()):
        found = "it leads out of the model's folder through a link"
    if found:
        raise StoreError(f"The file name {str(path)!r} is refused: {found}.")
    return place


def check_distinct(paths: Iterable[PurePosixPath]) -> None:
    """Pass if no two files need the same place, also where letter case does not count.

    Raises:
        StoreError: two do; a `.part` name beside its file is one of these cases.
    """
    taken: dict[str, PurePosixPath] = {}
    for path in paths:
        for name in (str(path), f"{path}{PART}"):
            other = taken.setdefault(name.casefold(), path)
            if other is not path:
                raise StoreError(f"The files {str(other)!r} and {str(path)!r} need the same place.")


def trouble(path: PurePosixPath) -> str:
    """Why a path is no place on some system; "" where it is one on all."""
    if path.is_absolute() or not path.parts:
        return "it is absolute" if path.parts else "it is empty"
    for part in path.parts:
        if part == "..":
            return "it climbs out of its folder"
        if found := file_names.trouble(part):
            return found
    return ""
