"""Load pickled stored models in a process where every look-up and connection is refused.

    python closed_network.py STORED_MODELS.pickle

Prints each model's class, then what was tried on the network, swallowed errors included.
"""

import pickle
import sys
import threading
from pathlib import Path

from pytest_potmodels.artifacts import LoadOptions
from pytest_potmodels.loading import load

ATTEMPTS: list[str] = []
_NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.gethostby", "socket.sendto")


def refuse(event: str, args: tuple[object, ...]) -> None:
    """An audit hook: below urllib, httpx and every other client in Python."""
    if event.startswith(_NETWORK):
        ATTEMPTS.append(f"{event} {args[-1]}")
        raise ConnectionRefusedError(event)


def main() -> None:
    """Load everything, wait for every thread, and report."""
    stored_models = pickle.loads(Path(sys.argv[1]).read_bytes())  # noqa: S301 - the test's own
    sys.addaudithook(refuse)
    for stored in stored_models:
        print(type(load(stored, LoadOptions(), device="cpu").model).__name__)  # noqa: T201
    for thread in threading.enumerate():
        if thread is not threading.current_thread():
            thread.join(timeout=30)
    print("attempts:", ATTEMPTS)  # noqa: T201


if __name__ == "__main__":
    main()
