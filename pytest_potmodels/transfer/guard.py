"""A call that another library makes (HfApi), under this package's deadline, retries and count."""

import logging
from collections.abc import Callable
from typing import TypeVar

from pytest_potmodels.transfer.bounded import UnfinishedError, within
from pytest_potmodels.transfer.failures import TransientError, as_transient, timed_out
from pytest_potmodels.transfer.network import Network
from pytest_potmodels.transfer.retry import Patience
from pytest_potmodels.transfer.scope import CancelScope
from pytest_potmodels.transfer.urls import place, shown

_log = logging.getLogger(__name__)
T = TypeVar("T")

#: What is called gets the address to use, the token if one may be sent, and a timeout in seconds.
HubCall = Callable[[str, str | None, float], T]

#: One call may make several requests (pages, an alias): so many read timeouts bound them all.
_TIMEOUTS = 6


def guarded(
    network: Network, url: str, request: HubCall[T], scope: CancelScope, patience: Patience
) -> T:
    """Call until it works, or until patience ends; see `Transfer.call`."""
    address, mirrored = network.mirrors.base(url)
    trusted = not mirrored and network.credentials.belong_to(url)
    while True:
        network.reachability.ensure(address)
        scope.check(f"asking {shown(url)}")
        try:
            return _once(network, address, request, scope, trusted=trusted)
        except TransientError as failure:
            patience.endure(failure, progressed=False)


def _once(
    network: Network, address: str, request: HubCall[T], scope: CancelScope, *, trusted: bool
) -> T:
    left = scope.deadline.remaining()
    timeout = min(network.policy.read_timeout, left)
    bound = min(_TIMEOUTS * timeout, left)
    network.counter.request(place(address))
    _log.debug("calling %s", shown(address))
    # The token is asked for inside, so that no frame out here ever holds it.
    run = lambda: request(address, network.credentials.token() if trusted else None, timeout)  # noqa: E731
    try:
        result = within(bound, run, stop=scope.stopped)
    except UnfinishedError:
        raise timed_out(address, bound) from None
    except Exception as error:
        if failure := as_transient(error, address, timeout):
            raise failure from None  # its frames hold headers, and tracebacks show variables
        raise
    network.reachability.answered(address)
    return result
