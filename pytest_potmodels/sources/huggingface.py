"""Hugging Face models: one metadata call says files, sizes, digests, licence and commit."""

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from huggingface_hub import HfApi, ModelInfo
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from huggingface_hub.hf_api import RepoSibling

from pytest_potmodels import __version__
from pytest_potmodels.artifacts import ModelRequest, RemoteFile, ResolvedModel
from pytest_potmodels.digests import Digest
from pytest_potmodels.errors import Reason, UnavailableError, UsageError
from pytest_potmodels.identifiers import ModelId, checked
from pytest_potmodels.sources import selection
from pytest_potmodels.sources.base import SourceContext
from pytest_potmodels.sources.hub_refusals import refusal

if TYPE_CHECKING:
    from pytest_potmodels.transfer import Deadline

_COMMIT = re.compile(r"[0-9a-f]{40}")


class HuggingFaceSource:
    """Repositories of a hub that speaks Hugging Face's protocol."""

    def __init__(self, context: SourceContext) -> None:
        self._context = context

    def resolve(
        self, model_id: ModelId, request: ModelRequest, deadline: "Deadline"
    ) -> ResolvedModel:
        """Pin the revision to its commit and name the files that loading needs.

        Raises:
            UnavailableError: gated, private or missing, unknown revision, disabled, no weights
                that can be loaded, or a hub that cannot be reached or understood.
            UsageError: the hub's client does not accept the name.
        """
        info = self._ask(model_id, deadline)
        commit = _commit(model_id, info)
        siblings = {sibling.rfilename: sibling for sibling in info.siblings or ()}
        paths = selection.needed(siblings, owner=f"{model_id} at {commit[:8]}")
        page = f"{self._context.endpoint}/{quote(info.id)}"
        return ResolvedModel(
            id=model_id,
            kind=request.kind,
            format="transformers",
            files=tuple(_remote(siblings[path], f"{page}/resolve/{commit}") for path in paths),
            revision=commit,
            aliases=() if info.id == model_id.name else (info.id,),
            origin=page,
            license=_license(info),
            gated=bool(info.gated),
        )

    def _ask(self, model_id: ModelId, deadline: "Deadline") -> ModelInfo:
        def ask(endpoint: str, token: str | None, seconds: float) -> ModelInfo:
            return _model_info(model_id, endpoint, token, seconds)

        endpoint = self._context.endpoint
        try:
            return self._context.transfer.call(endpoint, ask, deadline)
        except HfHubHTTPError as error:
            raise refusal(model_id, endpoint, error) from error
        except HFValidationError as error:
            raise UsageError(f"{str(model_id)!r} is no Hugging Face model: {error}") from error


def _model_info(model_id: ModelId, endpoint: str, token: str | None, seconds: float) -> ModelInfo:
    # `False`, because the client would look for a token itself, and send it to a mirror.
    api = HfApi(endpoint, token or False, "pytest-potmodels", __version__)
    try:
        return api.model_info(
            model_id.name, revision=model_id.revision, files_metadata=True, timeout=seconds
        )
    except HFValidationError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _not_a_hub(model_id, f"its answer cannot be read: {error!r}") from error


def _commit(model_id: ModelId, info: ModelInfo) -> str:
    """The commit that the answer is about, once the answer makes sense."""
    if info.disabled:
        raise UnavailableError(
            f"{model_id}: the hub has disabled this repository.",
            reason=Reason.DISABLED,
            remedy="see the model's page for the reason, and ask for another model",
        )
    commit, asked = info.sha or "", model_id.revision or ""
    if not _COMMIT.fullmatch(commit):
        raise _not_a_hub(model_id, f"its answer names no commit but {info.sha!r}")
    if _COMMIT.fullmatch(asked) and asked != commit:
        raise _not_a_hub(model_id, f"it answered with commit {commit}")
    try:
        checked(ModelId(model_id.source, info.id))
    except UsageError as error:
        raise _not_a_hub(model_id, f"its answer is about {info.id!r}") from error
    return commit


def _not_a_hub(model_id: ModelId, why: str) -> UnavailableError:
    return UnavailableError(
        f"{model_id}: what answered does not speak as a hub does: {why}.",
        reason=Reason.SERVER,
        remedy="check HF_ENDPOINT, --pot-mirror, and whether a login page sits on the network",
    )


def _remote(sibling: RepoSibling, folder: str) -> RemoteFile:
    return RemoteFile(
        path=PurePosixPath(sibling.rfilename),
        url=f"{folder}/{quote(sibling.rfilename)}",
        size=sibling.lfs.size if sibling.lfs else sibling.size,
        digests=_digests(sibling),
    )


def _digests(sibling: RepoSibling) -> tuple[Digest, ...]:
    if sibling.lfs:  # its blob id is that of the pointer file
        return (Digest("sha256", sibling.lfs.sha256),)
    if sibling.blob_id and sibling.size is not None:  # a mirror may know neither
        return (Digest("git-sha1", sibling.blob_id),)
    return ()


def _license(info: ModelInfo) -> str:
    """From the card, else from the tags; a card may list several."""
    card: Any = info.card_data  # what the card says, whatever its type is meant to be
    stated = card.license if card else None
    if stated == "other" and card.license_name:
        return str(card.license_name)
    if stated:
        return ", ".join(stated) if isinstance(stated, list) else str(stated)
    tags = (tag.removeprefix("license:") for tag in info.tags or () if tag.startswith("license:"))
    return next(tags, "unknown")
