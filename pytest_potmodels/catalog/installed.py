"""May an installed package extend the catalog? Told without `importlib.metadata`.

That costs more than the rest of a command on a warm cache, and hardly any environment has such a
package. The answer is "yes" wherever only `importlib.metadata` could tell.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

_METADATA = (".dist-info", ".egg-info")


def may_have(group: str, paths: Iterable[str]) -> bool:
    """Whether a package on these paths may have entry points of a group."""
    header = f"[{group}]".encode()
    return _has_other_finders() or any(_on(path or ".", header) for path in paths)


def _has_other_finders() -> bool:
    """Whether packages are found by other means than folders."""
    finders = [each for each in sys.meta_path if hasattr(each, "find_distributions")]
    return [getattr(each, "__name__", "") for each in finders] != ["PathFinder"]


def _on(path: str, header: bytes) -> bool:
    try:
        with os.scandir(path) as listed:
            folders = [each.path for each in listed if each.name.endswith((*_METADATA, ".egg"))]
    except NotADirectoryError:
        return True  # An archive.
    except OSError:
        return False  # Not there, or not for us: nothing is imported from it either.
    return any(header in declared for folder in folders for declared in _declared(folder))


def _declared(folder: str) -> Iterator[bytes]:
    inner = f"{folder}/EGG-INFO" if folder.endswith(".egg") else folder
    try:
        yield Path(inner, "entry_points.txt").read_bytes()
    except OSError:
        return
