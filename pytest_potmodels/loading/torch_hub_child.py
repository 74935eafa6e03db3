"""A process that runs an entry point once: `python -m` this, told in JSON what to run.

It asks for files on what was its standard output, a JSON object in a line each, and reads on its
standard input that they have come. What the code prints goes to the standard error.
"""

import json
import os
import queue
import signal
import sys
import threading
import traceback
from pathlib import Path
from typing import IO, Any

from pytest_potmodels.errors import PotModelsError, Reason

_NAMES = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_PEERS = ("socket.connect", "socket.sendto")
#: Characters of a traceback that are told.
_LONGEST = 20_000
_PR_SET_PDEATHSIG = 1


class _Line:
    """The way to the process that started this one."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._replies: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="potmodels-line", daemon=True).start()

    def say(self, **message: Any) -> None:
        self._out.write(json.dumps(message) + "\n")
        self._out.flush()

    def fetch(self, url: str, path: str, prefix: str) -> None:
        """Have a file; one that cannot be had ends this process from outside."""
        self.say(fetch={"url": url, "path": path, "prefix": prefix})
        self._replies.get()

    def _listen(self) -> None:
        for reply in sys.__stdin__ or ():  # The code's own input is empty, see below.
            self._replies.put(reply)
        # Whoever started this has ended: nobody waits for the rest.
        os._exit(1)


def main() -> None:
    """Run what the first argument says."""
    order = json.loads(sys.argv[1])
    _end_with_parent()
    line = _Line(_own_output())
    try:
        made = _run(line, **order)
    except PotModelsError as error:
        line.say(
            failed={
                "reason": str(getattr(error, "reason", Reason.NOT_LOADABLE)),
                "message": error.message,
                "remedy": error.remedy,
                "traceback": _traceback(error.__cause__ or error),
            }
        )
    else:
        line.say(done=type(made).__name__)


def _end_with_parent() -> None:
    """Have the kernel end this process with the one that started it, where it can do that.

    The line's own end is heard by a thread, and code that never lets go of the interpreter keeps
    that from running: a regular expression is enough.
    """
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - elsewhere of no use

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-_LONGEST:]


def _run(line: _Line, *, stage: str, entry: str, model: str) -> Any:
    from pytest_potmodels import extras  # noqa: PLC0415

    extras.require("torch")
    from pytest_potmodels.loading import torch_hub_code, torch_hub_routes  # noqa: PLC0415

    def closed(event: str, details: tuple[Any, ...]) -> None:
        # Below urllib, joblib and all others in Python: what comes another way is not kept.
        if event in _NAMES:
            torch_hub_routes.refuse_host(details[0])
        elif event in _PEERS and isinstance(details[-1], tuple):  # A name is of this machine.
            torch_hub_routes.refuse_host(details[-1][0])
        elif event == "pickle.find_class":
            torch_hub_routes.refuse_pickle(*details)

    folder = Path(stage).resolve()
    sys.addaudithook(closed)
    with torch_hub_routes.routed(folder, line.fetch):
        return torch_hub_code.run_entry(model, folder, entry)


def _own_output() -> IO[str]:
    """The standard output for this module alone; the code's own goes to the standard error."""
    own = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - to the end of the process
    return own


if __name__ == "__main__":
    main()
