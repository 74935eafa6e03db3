"""Jobs in processes of this machine, several at once; none is left behind.

Not multiprocessing's: its new processes run the program's main file once more, and a script without
`if __name__ == "__main__"` would begin again from the top.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from types import TracebackType
from typing import IO, Any, Self

from pytest_potmodels.errors import ModelVerificationError
from pytest_potmodels.loading.budget import memory
from pytest_potmodels.verification.job import Job

_CHILD = "pytest_potmodels.verification.child"
#: Bytes that the export of a model of a hundred million parameters may take.
_ONE = 3 << 30
#: What would make warnings of libraries errors.
_CONTRARY = ("PYTHONWARNINGS",)
_READ, _SHOWN = 1 << 14, 4

Say = Callable[[str], None]


class Processes:
    """Takes jobs; at most `workers` of them run at once, each in a process of its own."""

    def __init__(self, workers: int, on_line: Say | None = None) -> None:
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="potmodels-job")
        self._say = on_line or _nothing
        self._lock = threading.Lock()
        self._live: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def submit(self, job: Job) -> Future[dict[str, Any]]:
        """Begin a job as soon as there is room; the future has what it came to."""
        return self._threads.submit(self._run, job)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End what still runs: after an error or Ctrl-C nobody waits for it."""
        with self._lock:
            self._stopped = True
            for child in self._live:
                child.kill()
        self._threads.shutdown(cancel_futures=True)

    def _run(self, job: Job) -> dict[str, Any]:
        with tempfile.TemporaryFile() as said, self._started(said) as child:
            try:
                self._tell(child, job)
                return self._listen(child, said)
            finally:
                with self._lock:
                    self._live.discard(child)
                child.kill()

    def _started(self, said: IO[bytes]) -> "subprocess.Popen[bytes]":
        with self._lock:
            if self._stopped:
                raise ModelVerificationError("the batch was stopped before it began")
            child = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-W", "ignore", "-P", "-m", _CHILD],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                env=_environment(),
            )
            self._live.add(child)
            return child

    def _tell(self, child: "subprocess.Popen[bytes]", job: Job) -> None:
        assert child.stdin is not None  # noqa: S101 - it is a pipe
        line = json.dumps({**job.as_json(), "parent": os.getpid()})
        with suppress(OSError):  # It ended meanwhile, as the next read will show.
            child.stdin.write(line.encode() + b"\n")
            child.stdin.flush()

    def _listen(self, child: "subprocess.Popen[bytes]", said: IO[bytes]) -> dict[str, Any]:
        assert child.stdout is not None  # noqa: S101 - it is a pipe
        for line in child.stdout:
            message: dict[str, Any] = json.loads(line)
            if "done" in message:
                found: dict[str, Any] = message["done"]
                return found
            self._say(str(message.get("line", "")))
        code = child.wait()
        raise ModelVerificationError(
            f"its process ended with {_how(code)} and without a result{_last_words(said)}",
            remedy="is there memory enough? --jobs 1 does one model after the other",
        )


def done_apart(job: Job) -> dict[str, Any]:
    """Do a job in a process of its own, wherever this is called: on a worker of a cluster."""
    with Processes(1) as here:
        return here.submit(job).result()


def default_workers(jobs: int) -> int:
    """How many at once: as many as `jobs`, the cores and the memory allow."""
    return max(1, min(jobs, usable_cores(), memory() // _ONE))


def usable_cores() -> int:
    """The cores that the scheduler may run this process on."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        return int(os.process_cpu_count() or 1)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _environment() -> dict[str, str]:
    """The child's variables: this Python's path, and a thread's share of noise."""
    kept = {key: value for key, value in os.environ.items() if key not in _CONTRARY}
    return {**kept, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each),
            "PYTHONUTF8": "1"}  # fmt: skip


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _last_words(said: IO[bytes]) -> str:
    said.seek(max(0, said.seek(0, os.SEEK_END) - _READ))
    lines = said.read().decode("utf-8", "replace").splitlines()
    last = [line.strip() for line in lines if line.strip()][-_SHOWN:]
    return f"; its last words: {' / '.join(last)}"[:600] if last else ""


def _nothing(_line: str) -> None:
    """Nobody listens."""
