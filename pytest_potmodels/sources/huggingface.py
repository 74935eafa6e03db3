"""Hugging Face models: one metadata call says files, sizes, digests, licence and commit."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from huggingface_hub import HfApi, ModelInfo
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from huggingface_hub.hf_api import RepoSibling

from pytest_potmodels import __version__
from pytest_potmodels.artifacts import ModelRequest, RemoteFile, Repository, ResolvedModel
from pytest_potmodels.digests import Digest
from pytest_potmodels.errors import Reason, UnavailableError, UsageError
from pytest_potmodels.identifiers import ModelId, checked, split_file
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

        An id that ends in `:PATH` is that ONNX file, with its weights where they lie beside it.

        Raises:
            UnavailableError: gated, private or missing, unknown revision, disabled, no weights
                that can be loaded, no such file, or a hub that cannot be reached or understood.
            UsageError: the hub's client does not accept the name; a file that is no ONNX file.
        """
        repository, file = split_file(model_id)
        info = self._ask(repository, deadline)
        commit = _commit(repository, info)
        siblings = {sibling.rfilename: sibling for sibling in info.siblings or ()}
        paths = _paths(siblings, file, owner=f"{repository} at {commit[:8]}")
        page = f"{self._context.endpoint}/{quote(info.id)}"
        canonical = f"{info.id}:{file}" if file else info.id
        return ResolvedModel(
            id=model_id,
            kind=request.kind,
            format="onnx" if file else "transformers",
            files=tuple(_remote(siblings[path], f"{page}/resolve/{commit}") for path in paths),
            revision=commit,
            aliases=() if canonical == model_id.name else (canonical,),
            origin=page,
            license=_license(info),
            gated=bool(info.gated),
        )

    def describe(self, model_id: ModelId, deadline: "Deadline") -> Repository:
        """All files at that revision, and what the hub knows; raises what `resolve` raises."""
        repository, _ = split_file(model_id)
        info = self._ask(repository, deadline)
        said: Any = info.config if isinstance(info.config, Mapping) else {}
        classes = said.get("architectures")
        return Repository(
            id=repository,
            name=info.id,
            revision=_commit(repository, info),
            files={each.rfilename: _size(each) for each in info.siblings or ()},
            model_type=_word(said.get("model_type")),
            architectures=tuple(map(_word, classes)) if isinstance(classes, list) else (),
            library=_word(info.library_name),
            task=_word(info.pipeline_tag),
            tags=tuple(map(_word, info.tags or ())),
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


def _paths(siblings: Mapping[str, RepoSibling], file: str, owner: str) -> tuple[str, ...]:
    return selection.onnx_file(siblings, file, owner) if file else selection.needed(siblings, owner)


def _word(said: Any) -> str:
    """Text from a server, as text that may be printed."""
    text = said if isinstance(said, str) else ""
    return "".join(char for char in text if char.isprintable())[:200]


def _size(sibling: RepoSibling) -> int | None:
    return sibling.lfs.size if sibling.lfs else sibling.size


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
        size=_size(sibling),
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
