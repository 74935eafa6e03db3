"""Where a remote file may lie: inside the stage, on every file system."""

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from pytest_potmodels.errors import StoreError

PART = ".part"

_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE)
#: Drive letters and streams of Windows, its separator, wildcards, control characters.
_FORBIDDEN = re.compile(r'[<>:"\\|?*\x00-\x1f\x7f]')


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
        if _FORBIDDEN.search(part) or part != part.rstrip(". "):
            return f"{part!r} is no file name on Windows"
        if _DEVICES.fullmatch(part):
            return f"{part!r} is a device on Windows"
    return ""
