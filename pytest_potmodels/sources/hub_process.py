"""A process that runs an entry point once; what it fetches comes through this one.

The code is somebody else's: it gets no token, a folder of its own to stand in, as much time as
the model has left, and it ends when this process ends.
"""

import json
import logging
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pytest_potmodels.artifacts import ResolvedModel, StoredFile
from pytest_potmodels.errors import MissingPackageError, Reason, UnavailableError
from pytest_potmodels.sources.hub_files import HubFiles

if TYPE_CHECKING:
    from pytest_potmodels.transfer import Deadline, Transfer

_log = logging.getLogger(__name__)

_CHILD = "pytest_potmodels.loading.torch_hub_child"
#: Between looks at the clock, and at whether anybody still waits.
_SLICE = 0.2
#: Lines of the code's own output that an error shows.
_SHOWN = 5
#: Bytes of that output that are looked at.
_READ = 1 << 16
#: Whoever can read these can act as the user. torch.hub sends the first to GitHub by itself.
_SECRETS = ("GITHUB_TOKEN", "GH_TOKEN", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
#: What would undo what the child is told, or warn of itself.
_CONTRARY = ("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "TORCH_HUB", "TORCH_MODEL_ZOO", "PYTHONWARNINGS")


class HubProcess:
    """Runs the entry point of a repository that lies unpacked in a stage."""

    def __init__(
        self, resolved: ResolvedModel, stage: Path, transfer: "Transfer", deadline: "Deadline"
    ) -> None:
        self._resolved = resolved
        self._stage = stage
        self._transfer = transfer
        self._deadline = deadline

    def run(self, *, beside: int) -> tuple[StoredFile, ...]:
        """Run it to its end; give what it fetched. `beside` are bytes of the model so far.

        Raises:
            UnavailableError: it failed, with its last words; TIMEOUT; or why a file cannot be had.
            MissingPackageError: it needs packages that are not installed.
            StoppedError: the transfer was stopped.
        """
        files = HubFiles(self._resolved, self._stage, self._transfer, self._deadline, beside)
        with tempfile.TemporaryFile() as said, self._started(said) as child:
            for message in self._messages(child, said):
                match message:
                    case {"fetch": dict(wanted)}:
                        files.bring(wanted)
                        self._reply(child)
                    case {"done": str(made)}:
                        _log.debug("%s made a %s", self._resolved.id, made)
                        return files.all()
                    case {"failed": dict(facts)}:
                        raise self._failure(facts, _last_words(said))
                    case _:
                        break
            raise self._ended("its code wrote into the pipe that is not its own", said)

    @contextmanager
    def _started(self, said: IO[bytes]) -> "Iterator[subprocess.Popen[bytes]]":
        # The code stands in a folder of its own, so no path may be as seen from ours.
        stage = self._stage.resolve()
        order = {"stage": str(stage), "entry": self._resolved.architecture,
                 "model": str(self._resolved.id)}  # fmt: skip
        with (
            tempfile.TemporaryDirectory(prefix="potmodels-hub-") as scratch,
            subprocess.Popen(  # noqa: S603 - our own module; whose code it runs is trusted
                [sys.executable, "-P", "-m", _CHILD, json.dumps(order)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                bufsize=0,  # A buffer could not be closed while a thread reads it.
                cwd=scratch,
                env=_environment(os.environ, stage),
                start_new_session=True,
            ) as child,
        ):
            try:
                yield child
            finally:
                _kill(child)

    def _messages(
        self, child: "subprocess.Popen[bytes]", said: IO[bytes]
    ) -> Iterator[Mapping[str, Any]]:
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        assert child.stdout is not None  # noqa: S101 - it is a pipe
        threading.Thread(
            target=_read_into, args=(child.stdout, lines), name="potmodels-hub", daemon=True
        ).start()
        while True:
            self._transfer.check(f"{self._resolved.id}: its code is running", self._deadline)
            try:
                line = lines.get(timeout=_SLICE)
            except queue.Empty:
                continue
            if not line:
                code = child.wait()
                raise self._ended(f"it ended with exit code {code} and without a word", said)
            try:
                yield json.loads(line)
            except ValueError:
                yield {}

    def _reply(self, child: "subprocess.Popen[bytes]") -> None:
        assert child.stdin is not None  # noqa: S101 - it is a pipe
        with suppress(OSError):  # It ended meanwhile, as the next read will show.
            child.stdin.write(b"{}\n")
            child.stdin.flush()

    def _failure(self, facts: Mapping[str, Any], last: str) -> UnavailableError:
        _log.debug("%s", facts["traceback"])
        message, remedy = str(facts["message"]), str(facts["remedy"])
        if facts["reason"] == Reason.PACKAGE_MISSING:
            return MissingPackageError(message, remedy=remedy)
        return UnavailableError(message + last, reason=Reason(facts["reason"]), remedy=remedy)

    def _ended(self, how: str, said: IO[bytes]) -> UnavailableError:
        return UnavailableError(
            f"{self._resolved.id}: {how}.{_last_words(said)}",
            reason=Reason.NOT_LOADABLE,
            remedy="ask whoever publishes it, or name another revision",
        )


def _environment(environ: Mapping[str, str], stage: Path) -> dict[str, str]:
    kept = {k: v for k, v in environ.items() if k not in (*_SECRETS, *_CONTRARY)}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "TORCH_HOME": str(stage),
        "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1",
    }


def _read_into(stream: IO[bytes], lines: "queue.SimpleQueue[bytes]") -> None:
    with suppress(OSError, ValueError):  # Closed from the other side.
        for line in stream:
            lines.put(line)
    lines.put(b"")


def _kill(child: "subprocess.Popen[bytes]") -> None:
    """End the child, and where there are process groups also what it started."""
    if child.returncode is None:
        with suppress(OSError):  # It ended just now.
            if os.name == "posix":
                os.killpg(child.pid, signal.SIGKILL)
            else:
                child.kill()
        child.wait()


def _last_words(said: IO[bytes]) -> str:
    said.seek(max(0, said.seek(0, os.SEEK_END) - _READ))
    lines = said.read().decode("utf-8", "replace").splitlines()
    last = [line.strip() for line in lines if line.strip()][-_SHOWN:]
    return f" Its last words: {' / '.join(last)}" if last else ""
