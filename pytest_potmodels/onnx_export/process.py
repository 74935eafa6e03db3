"""A child process for one strategy: with a time and a memory limit, and never left behind."""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pytest_potmodels.onnx_export.order import Order

_CHILD = "pytest_potmodels.onnx_export.child"
#: Between looks at the clock and at the memory.
_SLICE = 0.2
#: Lines of the libraries' own output that are kept of a child that died.
_SHOWN = 4
_READ = 1 << 16
#: Whoever can read these can act as the user; an export needs none.
_SECRETS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "GITHUB_TOKEN", "GH_TOKEN")
#: One thread, no network, no accelerator: the same file from every machine of a kind.
_PLAIN = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "PYTHONUTF8": "1",
}
#: What would make warnings errors, or write beside the file.
_CONTRARY = ("PYTHONWARNINGS", "TORCH_LOGS", "TORCH_COMPILE_DEBUG")


@dataclass(frozen=True)
class Limits:
    """Until when on the monotonic clock, and how many bytes of memory."""

    end: float
    memory: int


@dataclass(frozen=True)
class Ended:
    """What a child came to: `facts`, or what went wrong and why."""

    #: "done", "refused", "timeout", "memory", "died", or what `child` calls a failure.
    kind: str
    why: str = ""
    facts: Mapping[str, Any] | None = None


def run(
    order: Order, rung: str, folder: Path, limits: Limits, on_line: Callable[[str], None]
) -> Ended:
    """Have a child export into a folder; nothing of it is left when this returns or raises."""
    with tempfile.TemporaryFile() as said, _started(order, rung, folder, said) as child:
        for message in _messages(child, limits):
            match message:
                case {"line": str(line)}:
                    on_line(line)
                case {"done": dict(facts)}:
                    return Ended("done", facts=facts)
                case {"failed": dict(facts)}:
                    return Ended(str(facts["kind"]), str(facts["why"]))
                case {"refused": dict(facts)}:
                    return Ended("refused", str(facts["message"]), facts)
                case Ended():
                    return message
                case _:
                    break
        code = child.wait()
        return Ended("died", f"{_how(code)}{_last_words(said)}")


@contextmanager
def _started(
    order: Order, rung: str, folder: Path, said: IO[bytes]
) -> "Iterator[subprocess.Popen[bytes]]":
    with (
        tempfile.TemporaryDirectory(prefix="potmodels-onnx-") as scratch,
        subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-W", "ignore", "-P", "-m", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            bufsize=0,  # A buffer could not be closed while a thread reads it.
            cwd=scratch,
            env=environment(os.environ),
            start_new_session=True,
        ) as child,
    ):
        try:
            _tell(child, order, rung, folder, Path(scratch))
            yield child
        finally:
            _kill(child)


def _tell(
    child: "subprocess.Popen[bytes]", order: Order, rung: str, folder: Path, scratch: Path
) -> None:
    samples = ""
    if order.samples:
        from pytest_potmodels.onnx_export import sample_file  # noqa: PLC0415 - brings numpy

        samples = str(sample_file.write(order.samples, scratch))
    what = {"order": order.as_json(), "rung": rung, "folder": str(folder), "samples": samples}
    assert child.stdin is not None  # noqa: S101 - it is a pipe
    with suppress(OSError):  # It ended meanwhile, as the next read will show.
        child.stdin.write(json.dumps({**what, "parent": os.getpid()}).encode() + b"\n")


def _messages(
    child: "subprocess.Popen[bytes]", limits: Limits
) -> Iterator["Mapping[str, Any] | Ended"]:
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(
        target=_read_into, args=(child.stdout, lines), name="potmodels-onnx", daemon=True
    ).start()
    watch = _memory_of(child.pid)
    while True:
        if time.monotonic() > limits.end:
            yield Ended("timeout", "the time was over")
        if (used := watch()) > limits.memory:
            yield Ended(
                "memory",
                f"it took {used / 1e9:.1f} GB of memory, {limits.memory / 1e9:.1f} GB are allowed",
            )
        try:
            line = lines.get(timeout=_SLICE)
        except queue.Empty:
            continue
        if not line:
            return
        try:
            yield json.loads(line)
        except ValueError:
            return


def _memory_of(pid: int) -> Callable[[], int]:
    """How many bytes a process has in memory; 0 for one that is gone."""
    import psutil  # noqa: PLC0415 - a warm look needs it not

    def look() -> int:
        try:
            return int(process.memory_info().rss) if process else 0
        except psutil.Error:
            return 0

    try:
        process = psutil.Process(pid)
    except psutil.Error:
        process = None
    return look


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The child's variables: this Python's path, and nothing that changes what comes out."""
    kept = {k: v for k, v in environ.items() if k not in (*_SECRETS, *_CONTRARY)}
    path = os.pathsep.join(each for each in sys.path if each)
    return {**kept, **_PLAIN, "PYTHONPATH": path}


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


def _how(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            return f"it was ended by {signal.Signals(-code).name}"
    return f"it ended with exit code {code} and without a word"


def _last_words(said: IO[bytes]) -> str:
    said.seek(max(0, said.seek(0, os.SEEK_END) - _READ))
    lines = said.read().decode("utf-8", "replace").splitlines()
    last = [line.strip() for line in lines if line.strip()][-_SHOWN:]
    return f"; its last words: {' / '.join(last)}"[:600] if last else ""
