"""A process that runs an entry point once; what it fetches comes through this one.

The code is somebody else's: it gets no token, a folder of its own to stand in, as much time as
the model has left, and it ends when this process ends.
"""

import json
import logging
import os
import queue
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pytest_potmodels import process_groups
from pytest_potmodels.artifacts import ResolvedModel, StoredFile
from pytest_potmodels.errors import MissingPackageError, Reason, UnavailableError
from pytest_potmodels.sources.hub_files import HubFiles
from pytest_potmodels.sources.hub_pipes import LastWords, Messages

if TYPE_CHECKING:
    from pytest_potmodels.transfer import Deadline, Transfer

_log = logging.getLogger(__name__)

_CHILD = "pytest_potmodels.loading.torch_hub_child"
#: Between looks at the clock, and at whether anybody still waits.
_SLICE = 0.2
#: Whoever can read these can act as the user; torch.hub sends GITHUB_TOKEN to GitHub by itself.
#: Our own may have passwords of mirrors, and the code is none of ours.
_SECRET = re.compile(
    r"POT_.*|(.*_)?(TOKEN|SECRET|PASSWORD|CREDENTIALS|KEY|PAT)(_.*)?", re.IGNORECASE
)
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
        with self._started() as child:
            said = LastWords(_pipe(child.stderr))
            for message in self._messages(child, said):
                match message:
                    case {"fetch": {"url": str(url), "path": str(path), "prefix": str(prefix)}}:
                        files.bring(url, path, prefix)
                        self._reply(child)
                    case {"done": str(made)}:
                        _log.debug("%s made a %s", self._resolved.id, made)
                        return files.all()
                    case {"failed": {"reason": str(reason), "message": str(what),
                                     "remedy": str(remedy), "traceback": str(trace)}} if (
                                         reason in set(Reason)):  # fmt: skip
                        _log.debug("%s", trace)
                        raise _failure(Reason(reason), what, remedy, said)
                    case _:
                        break
            raise self._ended("its code wrote into the pipe that is not its own", said)

    @contextmanager
    def _started(self) -> "Iterator[subprocess.Popen[bytes]]":
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
                stderr=subprocess.PIPE,
                bufsize=0,  # A buffer could not be closed while a thread reads it.
                cwd=scratch,
                env=_environment(os.environ, stage),
                start_new_session=True,
            ) as child,
        ):
            try:
                yield child
            finally:
                process_groups.kill(child)

    def _messages(self, child: "subprocess.Popen[bytes]", said: LastWords) -> Iterator[Any]:
        messages = Messages(_pipe(child.stdout))
        while True:
            self._transfer.check(f"{self._resolved.id}: its code is running", self._deadline)
            try:
                yield messages.next(timeout=_SLICE)
            except queue.Empty:
                continue
            except EOFError:
                code = child.wait()
                raise self._ended(
                    f"it ended with exit code {code} and without a word", said
                ) from None

    def _reply(self, child: "subprocess.Popen[bytes]") -> None:
        with suppress(OSError):  # It ended meanwhile, as the next read will show.
            stdin = _pipe(child.stdin)
            stdin.write(b"{}\n")
            stdin.flush()

    def _ended(self, how: str, said: LastWords) -> UnavailableError:
        return UnavailableError(
            f"{self._resolved.id}: {how}.{said}",
            reason=Reason.NOT_LOADABLE,
            remedy="ask whoever publishes it, or name another revision",
        )


def _environment(environ: Mapping[str, str], stage: Path) -> dict[str, str]:
    kept = {k: v for k, v in environ.items() if not (k in _CONTRARY or _SECRET.fullmatch(k))}
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUTF8": "1",
        "TORCH_HOME": str(stage),
        "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1",
    }


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None  # noqa: S101 - each of the three is a pipe
    return stream


def _failure(reason: Reason, what: str, remedy: str, said: LastWords) -> UnavailableError:
    if reason is Reason.PACKAGE_MISSING:
        return MissingPackageError(what, remedy=remedy)
    return UnavailableError(f"{what}{said}", reason=reason, remedy=remedy)
