"""Does anybody listen there? A plain TCP connection, within four seconds in all."""

import socket
import time
from itertools import chain, zip_longest
from typing import Any

from pytest_potmodels.transfer.bounded import UnfinishedError, within

BUDGET = 3.8
#: Before each round: a service that is just starting refuses for a moment.
_PAUSES = (0.0, 0.25, 0.5)
_PER_ADDRESS = 1.0
_MOST_ADDRESSES = 6


class _Diary:
    """What the probing thread was doing: all that is known of it if it never returns."""

    def __init__(self, host: str) -> None:
        self.entry = f"the lookup of its name ({host}) did not return"
        self.rounds = 0


def probe(host: str, port: int, *, budget: float = BUDGET) -> str:
    """Return "" when `host:port` takes connections, else a sentence that says what was tried."""
    started = time.monotonic()
    diary = _Diary(host)
    try:
        listening = within(budget, lambda: _rounds(host, port, diary))
    except UnfinishedError:
        listening = False
    if listening:
        return ""
    took = time.monotonic() - started
    return f"{diary.entry}; {diary.rounds} tries in {took:.1f} s"


def _rounds(host: str, port: int, diary: _Diary) -> bool:
    for pause in _PAUSES:
        time.sleep(pause)
        diary.rounds += 1
        if _one_round(host, port, diary):
            return True
    return False


def _one_round(host: str, port: int, diary: _Diary) -> bool:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        diary.entry = f"its name cannot be looked up (DNS: {error.strerror or error})"
        return False
    for family, _, _, _, address in _interleaved(found):
        diary.entry = f"no answer from {address[0]} port {port}, timed out"
        failure = _connect(family, address)
        if failure is None:
            return True
        diary.entry = f"{failure} (address {address[0]}, port {port})"
    return False


def _connect(family: int, address: Any) -> str | None:
    """None, or why it failed."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as connection:
            connection.settimeout(_PER_ADDRESS)
            connection.connect(address)
    except TimeoutError:
        return "no answer, timed out"
    except ConnectionRefusedError:
        return "connection refused"
    except OSError as error:
        return error.strerror or str(error)
    return None


def _interleaved(found: list[Any]) -> list[Any]:
    """Addresses of both families in turn: where IPv6 is a black hole, IPv4 must get its try."""
    first = [each for each in found if each[0] == found[0][0]]
    other = [each for each in found if each[0] != found[0][0]]
    pairs = chain.from_iterable(zip_longest(first, other))
    return [each for each in pairs if each is not None][:_MOST_ADDRESSES]
