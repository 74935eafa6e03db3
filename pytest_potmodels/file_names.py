"""What files may be called, so that they are the same files on Linux, macOS and Windows."""

import re
import unicodedata
from collections.abc import Iterable

#: Bytes that file systems allow for one name.
_LONGEST = 255
#: Characters of a path: macOS takes 1024 bytes with the folders before it, and a path of thirty
#: thousand folders is a bomb of its own.
_LONGEST_PATH = 700
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE)
#: Drive letters and streams of Windows, its separator, wildcards, control characters.
_FORBIDDEN = re.compile(r'[<>:"\\|?*\x00-\x1f\x7f]')


def trouble(name: str) -> str:
    """Why a part of a path is no file name on some system; "" where it is one on all."""
    if _FORBIDDEN.search(name) or name != name.rstrip(". "):
        return f"{name!r} is no file name on Windows"
    if _DEVICES.fullmatch(name):
        return f"{name!r} is a device on Windows"
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return f"{name!r} is no text"
    return f"{name[:20]!r}... is longer than {_LONGEST} bytes" if size > _LONGEST else ""


def path_trouble(path: str) -> str:
    """The same of a path with `/` between its parts."""
    if len(path) > _LONGEST_PATH:
        return f"{path[:20]!r}... is longer than {_LONGEST_PATH} characters"
    return next(filter(None, map(trouble, path.split("/"))), "")


def clash(paths: Iterable[str]) -> str:
    """Which two files cannot be there together on some system; "" if all can."""
    taken: dict[str, str] = {}
    for path in paths:
        other = taken.get(_folded(path))
        if other is not None:
            same = f"and {other!r} are one where case is none"
            return f"{path!r} {'is there twice' if other == path else same}"
        taken[_folded(path)] = path
    folders = {_folded(parent) for path in taken.values() for parent in _parents(path)}
    both = next((path for folded, path in taken.items() if folded in folders), None)
    return f"{both!r} is a file and a folder" if both else ""


def _parents(path: str) -> Iterable[str]:
    parts = path.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts)))


def _folded(path: str) -> str:
    # macOS takes two ways to write an umlaut for one name.
    return unicodedata.normalize("NFC", path).casefold()
