"""A process of a test session: waits for a line, asks for a host, prints when and what it heard.

Arguments: session folder, URL, and a file to which each name lookup of this process is noted.
With a fourth argument, lookups hang.
"""

import socket
import sys
import time
from pathlib import Path
from typing import Any

from pytest_potmodels.errors import UnavailableError
from pytest_potmodels.transfer.policy import TransferPolicy
from pytest_potmodels.transfer.reachability import Reachability

session, url, diary = sys.argv[1:4]
real = socket.getaddrinfo


def noted(*args: Any, **kwargs: Any) -> Any:
    with Path(diary).open("a") as lines:
        lines.write("a lookup\n")
    if sys.argv[4:]:
        time.sleep(60)
    return real(*args, **kwargs)


socket.getaddrinfo = noted
reachability = Reachability(TransferPolicy(session_dir=Path(session)))
sys.stdin.readline()
started = time.time()
try:
    reachability.ensure(url)
    heard = "reachable"
except UnavailableError as error:
    heard = f"{error.reason} {error.message}"
sys.stdout.write(f"{started} {time.time()} {heard}\n")
