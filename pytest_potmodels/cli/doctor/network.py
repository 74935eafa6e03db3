"""The network, as a download would meet it: settings, verdicts on hosts, proxies, token."""

import os
from collections.abc import Iterator

from pytest_potmodels.cli.doctor.finding import Finding
from pytest_potmodels.errors import UnavailableError, UsageError
from pytest_potmodels.pipeline import Pipeline
from pytest_potmodels.transfer.credentials import Credentials
from pytest_potmodels.transfer.mirrors import Mirrors
from pytest_potmodels.transfer.policy import TransferPolicy
from pytest_potmodels.transfer.proxies import proxy_for
from pytest_potmodels.transfer.reachability import Reachability
from pytest_potmodels.transfer.tokens import hub_token
from pytest_potmodels.transfer.urls import place, shown

_TORCHVISION = "https://download.pytorch.org"


def check(pipeline: Pipeline) -> Iterator[Finding]:
    """Look at the way to the servers that models come from."""
    policy = pipeline.transfer.policy
    for name, url in (("hub", policy.hub_endpoint), ("downloads", _TORCHVISION)):
        yield _host(name, url, policy)
    yield _token(policy)


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


def _token(policy: TransferPolicy) -> Finding:
    """Whether there is a token; the token itself is not shown."""
    try:
        token = Credentials(policy.hub_endpoint, hub_token).token()
    except UsageError as error:
        return Finding("token", "fail", error.message, error.remedy)
    if token is None:
        return Finding("token", "ok", "none; gated and private models need one (hf auth login)")
    from_variable = any(os.environ.get(n) for n in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"))
    where = "HF_TOKEN" if from_variable else "the file of `hf auth login`"
    return Finding("token", "ok", f"present, from {where}; sent to {place(policy.hub_endpoint)}")
