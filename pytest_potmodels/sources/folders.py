"""Folders that are used where they lie: what is in them, and which of it loading needs."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from pytest_potmodels.artifacts import RemoteFile
from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.sources import selection

#: One of them says what the weights are: for transformers, for sentence-transformers.
_DESCRIPTIONS = ("config.json", "modules.json")
_TORCH = (".safetensors", ".bin", ".pt", ".pth")
#: A listing in a message stays one line.
_SHOWN = 8


def model_files(folder: Path, owner: str) -> tuple[RemoteFile, ...]:
    """The files of a model in a folder, by the same rules as for a repository.

    Raises:
        UnavailableError: NOT_LOADABLE; no configuration, or no weights that can be loaded.
    """
    if not any((folder / name).is_file() for name in _DESCRIPTIONS):
        raise UnavailableError(
            f"{owner}: {folder} has no {' or '.join(_DESCRIPTIONS)}; it has "
            f"{listed(path.name for path in folder.iterdir())}.",
            reason=Reason.NOT_LOADABLE,
            remedy="name a folder that save_pretrained() wrote",
        )
    paths = (path.relative_to(folder).as_posix() for path in _files(folder))
    return remote_files(folder, selection.needed(paths, owner))


def onnx_files(folder: Path) -> tuple[RemoteFile, ...]:
    """The files of a folder that holds a model as ONNX and in no other form; () of another one."""
    paths = sorted(path.relative_to(folder).as_posix() for path in _files(folder))
    graphs = [path for path in paths if path.endswith(selection.ONNX)]
    if not graphs or any(path.endswith(_TORCH) for path in paths):
        return ()
    beside = tuple(f"{graph}{middle}" for graph in graphs for middle in (".", "_"))
    return remote_files(
        folder,
        [p for p in paths if p in graphs or p.startswith(beside) or p.endswith((".json", ".txt"))],
    )


def remote_files(folder: Path, paths: Iterable[str]) -> tuple[RemoteFile, ...]:
    """Files of a folder with their sizes and file:// URLs; the store adds the digests."""
    return tuple(
        RemoteFile(
            path=PurePosixPath(path),
            url=(folder / path).as_uri(),
            size=(folder / path).stat().st_size,
        )
        for path in paths
    )


def listed(names: Iterable[str]) -> str:
    """Names for a message: sorted, the first few."""
    ordered = sorted(names)
    more = f" and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
    return ", ".join(ordered[:_SHOWN]) + more if ordered else "nothing"


def _files(folder: Path) -> list[Path]:
    # Two levels are all that models have; a project folder may have many more below.
    return [path for pattern in ("*", "*/*") for path in folder.glob(pattern) if path.is_file()]
