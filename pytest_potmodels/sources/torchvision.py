"""torchvision classifiers, from the shipped table; torchvision itself is not needed for that."""

from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_potmodels.artifacts import ModelRequest, RemoteFile, ResolvedModel
from pytest_potmodels.catalog.entries import short_digest
from pytest_potmodels.catalog.torchvision_weights import (
    TorchvisionWeights,
    all_weights,
    weights_of,
)
from pytest_potmodels.digests import Digest
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.sources.base import SourceContext
from pytest_potmodels.sources.weights_url import weights_at

if TYPE_CHECKING:
    from pytest_potmodels.transfer import Deadline


class TorchvisionSource:
    """Architectures by name, with torchvision's weights or with a user's own in their place."""

    def __init__(self, context: SourceContext) -> None:
        self._context = context

    def resolve(
        self,
        model_id: ModelId,
        request: ModelRequest,
        deadline: "Deadline",  # noqa: ARG002 - the table is on disk
    ) -> ResolvedModel:
        """Name the one weights file of an architecture; the revision is the weights' name.

        Raises:
            UnknownNameError: no such architecture or weights, with close matches.
            UsageError: a `weights` that is no URL of a file.
        """
        if request.weights is None:
            return _published(model_id, weights_of(model_id.name, model_id.revision))
        file = weights_at(request.weights)
        for weights in all_weights(model_id.name):
            # A mirror of torchvision's own file: its name carries the digest that is checked.
            if file.path.name == weights.file_name:
                return _published(model_id, weights, file)
        return _own(model_id, file, request.weights)


def _published(
    model_id: ModelId, weights: TorchvisionWeights, mirrored: RemoteFile | None = None
) -> ResolvedModel:
    prefix = Digest("sha256-prefix", weights.sha256_prefix)
    file = RemoteFile(
        path=PurePosixPath(weights.file_name),
        url=mirrored.url if mirrored else weights.url,
        digests=tuple(sorted({prefix, *(mirrored.digests if mirrored else ())}, key=str)),
        size_hint=weights.size,
    )
    return ResolvedModel(
        id=model_id,
        kind="vision",
        format="torchvision",
        files=(file,),
        revision=weights.name,
        architecture=weights.architecture,
        origin=weights.recipe or weights.url,
        license=weights.license,
    )


def _own(model_id: ModelId, file: RemoteFile, url: str) -> ResolvedModel:
    return ResolvedModel(
        id=model_id,
        kind="vision",
        format="torchvision",
        files=(file,),
        revision=model_id.revision or f"weights-{short_digest(url)}",
        architecture=model_id.name,
        origin=f"https://{urlsplit(file.url).hostname}",
    )
