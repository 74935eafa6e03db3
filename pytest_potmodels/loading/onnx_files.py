"""Which file of a model is its graph, and how large it is with its weights."""

from dataclasses import dataclass
from pathlib import Path

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.errors import Reason, UnavailableError

#: The largest error of an output that passes, where nothing else is known of the model.
TOLERANCE = 1e-4
#: The names that a graph has where there are several.
_USUAL = ("model.onnx", "onnx/model.onnx")


@dataclass(frozen=True)
class OnnxFiles:
    """A graph; its weights may lie beside it."""

    file: Path
    #: One sha256 over all files.
    digest: str
    #: Bytes of all.
    size: int


def of_stored(stored: StoredModel) -> OnnxFiles:
    """The graph of a model that came as ONNX.

    Raises:
        UnavailableError: NOT_LOADABLE; there are several, or none.
    """
    names = [file.path for file in stored.files if file.path.endswith(".onnx")]
    usual = [name for name in _USUAL if name in names]
    if len(names) != 1 and not usual:
        raise UnavailableError(
            f"{stored.id} has {len(names)} ONNX files: {', '.join(names[:5]) or 'none'}.",
            reason=Reason.NOT_LOADABLE,
            remedy="name the file itself",
        )
    size = sum(file.size for file in stored.files if ".onnx" in file.path)
    return OnnxFiles(stored.path / (usual or names)[0], stored.digest, size)
