"""Models on this machine: `file:PATH`, a folder as `save_pretrained` writes it, or one file."""

import glob
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_potmodels.artifacts import ModelRequest, ResolvedModel
from pytest_potmodels.catalog.torchvision_weights import architectures
from pytest_potmodels.errors import (
    Reason,
    UnavailableError,
    UnknownNameError,
    UsageError,
    close_matches,
)
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.sources.base import SourceContext
from pytest_potmodels.sources.folders import listed, model_files, onnx_files, remote_files
from pytest_potmodels.sources.selection import ONNX, onnx_file

if TYPE_CHECKING:
    from pytest_potmodels.transfer import Deadline

_WEIGHTS = (".safetensors", ".pth", ".pt", ".bin")


class FileSource:
    """Folders and weights files of the user's own, used where they lie."""

    def __init__(self, context: SourceContext) -> None:
        self._root = context.root

    def resolve(
        self,
        model_id: ModelId,
        request: ModelRequest,
        deadline: "Deadline",  # noqa: ARG002 - no network, nothing to wait for
    ) -> ResolvedModel:
        """Name the files; a single file is the weights of `request.architecture`.

        Raises:
            UnavailableError: nothing is there, or nothing that can be loaded.
            UsageError: a single file without an architecture, or with an unknown one.
        """
        path = self._path(model_id)
        if path.is_dir():
            return _of_folder(model_id, path, request)
        if path.is_file():
            return _of_file(model_id, path, request)
        raise _absent(model_id, path)

    def _path(self, model_id: ModelId) -> Path:
        try:
            return (self._root / Path(model_id.name).expanduser()).absolute()
        except RuntimeError as error:
            raise UsageError(f"{model_id}: {error}", remedy="write the whole path") from error


def _of_folder(model_id: ModelId, folder: Path, request: ModelRequest) -> ResolvedModel:
    graphs = onnx_files(folder)
    return ResolvedModel(
        id=model_id,
        kind=request.kind,
        format="onnx" if graphs else "transformers",
        files=graphs or model_files(folder, owner=str(model_id)),
        origin=folder.as_uri(),
        in_place=folder,
    )


def _of_file(model_id: ModelId, path: Path, request: ModelRequest) -> ResolvedModel:
    if path.suffix == ONNX:
        beside = [each.name for each in path.parent.glob(f"{glob.escape(path.name)}*")]
        return ResolvedModel(
            id=model_id,
            kind=request.kind,
            format="onnx",
            files=remote_files(path.parent, onnx_file(beside, path.name, str(model_id))),
            origin=path.as_uri(),
            in_place=path.parent,
        )
    if path.suffix not in _WEIGHTS:
        raise UnavailableError(
            f"{model_id}: {path.name} is no weights file ({', '.join((*_WEIGHTS, ONNX))}).",
            reason=Reason.NOT_LOADABLE,
            remedy="name a weights file, or a folder that save_pretrained() wrote",
        )
    return ResolvedModel(
        id=model_id,
        kind="vision",
        format="torchvision",
        files=remote_files(path.parent, [path.name]),
        architecture=_architecture(model_id, request),
        origin=path.as_uri(),
        in_place=path.parent,
    )


def _architecture(model_id: ModelId, request: ModelRequest) -> str:
    known = architectures()
    if request.architecture is None:
        raise UsageError(
            f"{model_id}: a weights file alone does not say which network it belongs to.",
            remedy=f'[tool.potmodels.models.NAME] source = "file", name = "{model_id.name}", '
            'architecture = "resnet18", kind = "vision"',
        )
    if request.architecture not in known:
        raise UnknownNameError("torchvision architecture", request.architecture, known)
    return request.architecture


def _absent(model_id: ModelId, path: Path) -> UnavailableError:
    nearest = next(parent for parent in path.parents if parent.is_dir())
    missing = path.relative_to(nearest).parts[0]
    names = [each.name for each in nearest.iterdir()]
    matches = close_matches(missing, names)
    meant = f"did you mean {' or '.join(matches)}?" if matches else f"it has {listed(names)}."
    return UnavailableError(
        f"{model_id}: {path} does not exist: {nearest} has no {missing!r}; {meant}",
        reason=Reason.UNKNOWN_MODEL,
        remedy="paths start at the project's folder; check this one",
    )
