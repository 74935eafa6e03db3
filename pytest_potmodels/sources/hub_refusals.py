"""The hub's refusals of metadata as errors that say what to do."""

from http import HTTPStatus

from huggingface_hub.errors import (
    DisabledRepoError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.identifiers import ModelId

_LOG_IN = "log in with `hf auth login` or set HF_TOKEN"
_CHECK_NAME = "check the spelling of the name"


def refusal(model_id: ModelId, endpoint: str, error: HfHubHTTPError) -> UnavailableError:
    """The error for a refusal that will not change by asking again."""
    page = f"{endpoint}/{model_id.name}"
    reason, why, remedy = _meaning(model_id, page, error)
    status = error.response.status_code
    return UnavailableError(f"{model_id}: {why} ({status}).", reason=reason, remedy=remedy)


def _meaning(model_id: ModelId, page: str, error: HfHubHTTPError) -> tuple[Reason, str, str]:
    status = error.response.status_code
    if isinstance(error, GatedRepoError):  # before its base class: not found
        return Reason.GATED, "the model is gated", f"ask for access at {page}, then {_LOG_IN}"
    if isinstance(error, DisabledRepoError):
        return Reason.DISABLED, "the hub has disabled this repository", "ask for another model"
    if isinstance(error, RevisionNotFoundError):
        why = f"the model has no revision {model_id.revision!r}"
        return Reason.UNKNOWN_REVISION, why, f"see its branches and tags: {page}/tree/main"
    if isinstance(error, RepositoryNotFoundError):
        return _not_found(error, status)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        why = f"the hub refuses {_who(error)}: {_said(error)}"
        return Reason.PRIVATE, why, f"{_LOG_IN} with a token that is valid, or unset HF_TOKEN"
    return Reason.SERVER, f"the hub answered: {_said(error)}", "check HF_ENDPOINT and --pot-mirror"


def _not_found(error: HfHubHTTPError, status: int) -> tuple[Reason, str, str]:
    if status == HTTPStatus.NOT_FOUND:
        why = f"the hub knows no such model, or does not show it to {_who(error)}"
        return Reason.UNKNOWN_MODEL, why, _CHECK_NAME
    # Without a token the hub does not tell whether a private repository exists.
    why = f"the hub shows no such model to {_who(error)}: it is private, or the name is wrong"
    return Reason.PRIVATE, why, f"{_CHECK_NAME}; for a private model {_LOG_IN}"


def _who(error: HfHubHTTPError) -> str:
    request = error.response.request
    return "this token" if "authorization" in request.headers else "strangers"


def _said(error: HfHubHTTPError) -> str:
    words = error.server_message or error.response.reason_phrase
    return "".join(char for char in words if char.isprintable())[:200]
