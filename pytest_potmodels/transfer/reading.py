"""A small document, read into memory: what a service says of itself."""

from collections.abc import Callable
from contextlib import closing
from http import HTTPStatus

from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.transfer.client import Client, Reply
from pytest_potmodels.transfer.disk import in_units
from pytest_potmodels.transfer.failures import TransientError, bad_status, repeatable
from pytest_potmodels.transfer.network import Network
from pytest_potmodels.transfer.replies import refusal
from pytest_potmodels.transfer.retry import Patience
from pytest_potmodels.transfer.scope import CancelScope
from pytest_potmodels.transfer.urls import shown

#: Says of the bytes that have come whether the rest is of no interest.
Enough = Callable[[bytes], bool]


def read(
    network: Network,
    url: str,
    scope: CancelScope,
    patience: Patience,
    *,
    most: int,
    enough: Enough | None = None,
) -> bytes:
    """GET until it works, or until patience ends; see `Transfer.read`."""
    with closing(Client(network)) as client:
        while True:
            scope.check(f"reading {shown(url)}")
            try:
                with client.get(url, {}, scope) as reply:
                    return _body(reply, scope, most, enough)
            except TransientError as failure:
                patience.endure(failure, progressed=False)


def _body(reply: Reply, scope: CancelScope, most: int, enough: Enough | None) -> bytes:
    if repeatable(reply.status):
        raise bad_status(reply.status, reply.headers, reply.url)
    if reply.status != HTTPStatus.OK:
        raise refusal(reply.status, reply.headers, reply.url)
    body = bytearray()
    for chunk in reply.chunks:
        scope.check(f"{shown(reply.url)}: {in_units(len(body))} are here")
        body += chunk
        if len(body) > most:
            raise UnavailableError(
                f"{shown(reply.url)}: more than {in_units(most)} came.", reason=Reason.SERVER
            )
        if enough is not None and enough(bytes(body)):
            break
    return bytes(body)
