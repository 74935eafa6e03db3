"""The network, as a download would meet it: settings, verdicts on hosts, proxies, token."""

import os
from collections.abc import Iterator
from dataclasses import replace

from pytest_potmodels.cli.doctor.finding import Finding
from pytest_potmodels.errors import UnavailableError, UsageError
from pytest_potmodels.pipeline import Pipeline
from pytest_potmodels.transfer import Deadline
from pytest_potmodels.transfer.credentials import Credentials
from pytest_potmodels.transfer.mirrors import Mirrors
from pytest_potmodels.transfer.policy import TransferPolicy
from pytest_potmodels.transfer.proxies import proxy_for
from pytest_potmodels.transfer.reachability import Reachability
from pytest_potmodels.transfer.tokens import hub_token
from pytest_potmodels.transfer.urls import place, shown

_TORCHVISION = "https://download.pytorch.org"
#: Seconds for an answer of the hub, with all retries.
_PATIENCE = 10.0
_REFUSED = frozenset({401, 403})
_SERVER_ERROR = 500


def check(pipeline: Pipeline) -> Iterator[Finding]:
    """Look at the way to the servers that models come from."""
    policy = pipeline.transfer.policy
    hub = _host("hub", policy.hub_endpoint, policy)
    answers = hub.status == "ok" and not policy.blocked
    yield _answer(hub, pipeline) if answers else hub
    yield _host("downloads", _TORCHVISION, policy)
    yield _token(pipeline, ask=answers)


def _host(name: str, url: str, policy: TransferPolicy) -> Finding:
    route = Mirrors(policy.mirrors).base(url)
    way = shown(route.url)
    if route.mirrored:
        way += f", mirror of {shown(url)}"
    if policy.blocked:
        said = f"{way}: closed by {policy.blocked}; models in the cache work"
        return Finding(name, "ok", said)
    try:
        proxy = proxy_for(route.url)
        Reachability(policy).ensure(route.url)
    except UnavailableError as error:
        return Finding(name, "fail", f"{way}: {error.message}", error.remedy)
    except UsageError as error:
        return Finding(name, "fail", f"{way}: {error.message}", "check that address")
    through = f", through the proxy {place(proxy)}" if proxy else ""
    return Finding(name, "ok", f"{way} is reachable{through}")


def _answer(found: Finding, pipeline: Pipeline) -> Finding:
    """Whether what listens there answers like a web server."""
    endpoint = pipeline.transfer.policy.hub_endpoint
    try:
        status = pipeline.transfer.status(endpoint, Deadline(_PATIENCE))
    except UnavailableError as error:
        return replace(found, status="fail", said=error.message, remedy=error.remedy)
    except UsageError:
        return found  # Of the token, which has a line of its own.
    if status >= _SERVER_ERROR:
        said, remedy = f"{found.said}, but answers HTTP {status}", "try again later, or a mirror"
        return replace(found, status="fail", said=said, remedy=f"{remedy}: --pot-mirror OLD=NEW")
    return replace(found, said=f"{found.said} and answers (HTTP {status})")


def _token(pipeline: Pipeline, *, ask: bool) -> Finding:
    """Whether there is a token, and whose; the token itself is not shown."""
    policy = pipeline.transfer.policy
    try:
        token = Credentials(policy.hub_endpoint, hub_token).token()
    except UsageError as error:
        return Finding("token", "fail", error.message, error.remedy)
    if token is None:
        return Finding("token", "ok", "none; gated and private models need one (hf auth login)")
    from_variable = any(os.environ.get(n) for n in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"))
    where = "HF_TOKEN" if from_variable else "the file of `hf auth login`"
    said = f"present, from {where}; sent to {place(policy.hub_endpoint)}"
    return _owner(said, pipeline) if ask else Finding("token", "ok", said)


def _owner(said: str, pipeline: Pipeline) -> Finding:
    """For whom the hub takes the token."""
    from huggingface_hub.errors import HfHubHTTPError  # noqa: PLC0415

    endpoint = pipeline.transfer.policy.hub_endpoint
    try:
        name = pipeline.transfer.call(endpoint, _whoami, Deadline(_PATIENCE))
    except HfHubHTTPError as error:
        if error.response.status_code in _REFUSED:
            remedy = "log in again (hf auth login), or unset HF_TOKEN"
            return Finding("token", "fail", f"{said}, which does not accept it", remedy)
        return Finding("token", "ok", f"{said}, which does not say whose it is")
    except UnavailableError as error:
        return Finding("token", "warn", f"{said}: {error.message}", error.remedy)
    return Finding("token", "ok", f"{said}, for {name}" if name else said)


def _whoami(address: str, token: str | None, _seconds: float) -> str:
    """The account's name; "" where no token may be sent, to a mirror."""
    from huggingface_hub import HfApi  # noqa: PLC0415

    return str(HfApi(address, token).whoami().get("name", "")) if token else ""
