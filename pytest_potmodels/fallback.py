"""The policy: the real model, its mock, or neither, and why.

A mock is never silent: the answer says that it is one and for which reason, and a warning is
logged. Wrong bytes are never answered with a mock.
"""

import logging
import math
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from pytest_potmodels.artifacts import LoadedModel, ModelRequest
from pytest_potmodels.errors import Reason, StoreError, UnavailableError
from pytest_potmodels.identifiers import ModelId

_log = logging.getLogger(__name__)

MockPolicy = Literal["missing", "never", "always"]


class Way(Protocol):
    """Gives real models, and stand-ins under their own names: a pipeline, for one."""

    def obtain(self, request: ModelRequest, *, device: str = "cpu") -> LoadedModel:
        """The model that was asked for."""
        ...


@dataclass(frozen=True)
class Obtained:
    """A model, and why it is a stand-in if it is one."""

    model: LoadedModel
    #: The code of the reason for a stand-in; "" for what was really asked for.
    substitute: str = ""
    why: str = ""


#: The code of a stand-in that was asked for with `mock=always`.
ASKED_FOR = "asked-for"

#: The code of a stand-in for a model that the cache folder did not take.
STORE = "cache-unusable"


def obtain(
    pipeline: Way,
    request: ModelRequest,
    *,
    mock: MockPolicy,
    required: bool = False,
    device: str = "cpu",
    memory_limit_mb: float | None = None,
) -> Obtained:
    """Give the real model, or an announced mock where the policy allows one.

    Args:
        pipeline: the way to the real model.
        request: what was asked for; the TEST preset asks for a mock, which is no stand-in.
        mock: where a stand-in may be used.
        required: the real one or nothing, whatever `mock` says.
        device: where to load it.
        memory_limit_mb: a model with more MiB of parameters and buffers counts as one that
            cannot be had.

    Raises:
        UnavailableError: the model cannot be had and no mock may stand in.
        StoreError: the same, because of the cache folder.
        DigestMismatchError: its bytes are wrong.
    """
    if mock == "always" and request.id.source != "mock":
        if required:
            raise _only_mocks(request)
        return _stand_in(pipeline, request, ASKED_FOR, "mock=always", device)
    try:
        model = pipeline.obtain(request, device=device)
        _check_memory(model, request, memory_limit_mb)
    except (UnavailableError, StoreError) as error:
        mistake = isinstance(error, UnavailableError) and not error.substitutable
        if required or mock == "never" or mistake:
            raise
        code = error.reason if isinstance(error, UnavailableError) else STORE
        _log.warning("Using mock for %s: %s", request.asked, error.message)
        return _stand_in(pipeline, request, code, error.message, device)
    return Obtained(model)


def mock_request(request: ModelRequest) -> ModelRequest:
    """The request for the mock of the same kind."""
    return replace(request, id=ModelId("mock", request.kind), weights=None)


def _stand_in(pipeline: Way, request: ModelRequest, code: str, why: str, device: str) -> Obtained:
    model = pipeline.obtain(mock_request(request), device=device)
    return Obtained(model, substitute=code, why=why)


def _check_memory(model: LoadedModel, request: ModelRequest, limit_mb: float | None) -> None:
    if limit_mb is not None and model.memory_mb > limit_mb:
        raise UnavailableError(
            f"{request.asked} takes {model.memory_mb:.1f} MB of memory; "
            f"memory_limit_mb allows {limit_mb:g} MB.",
            reason=Reason.MEMORY_LIMIT,
            remedy=f"memory_limit_mb={math.ceil(model.memory_mb)}, or ask for a smaller model",
        )


def _only_mocks(request: ModelRequest) -> UnavailableError:
    return UnavailableError(
        f"{request.asked} is required, and only mocks are allowed (mock=always).",
        reason=Reason.MOCK_ONLY,
        remedy="drop --pot-mock=always",
    )
