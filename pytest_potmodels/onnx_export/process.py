"""A child process for work with models: with a time and a memory limit, and never left behind."""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pytest_potmodels import process_groups

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
#: What would make warnings errors, write beside the file, or switch off what an export needs.
_CONTRARY = (
    "PYTHONWARNINGS", "PYTHONINSPECT", "TORCH_LOGS", "TORCH_COMPILE_DEBUG", "TORCHDYNAMO_DISABLE",
    "TORCH_COMPILE_DISABLE", "PYTORCH_JIT",
)  # fmt: skip
#: Where libraries put temporary files, by system.
_TEMPORARY = ("TMPDIR", "TEMP", "TMP")
_STANDARD = Path(os.__file__).parent


@dataclass(frozen=True)
class Limits:
    """Until when on the monotonic clock, and how many bytes of memory."""

    end: float
    memory: int


@dataclass(frozen=True)
class Ended:
    """What a child came to: `facts`, or what went wrong and why."""

    #: "done", "refused", "timeout", "memory", "died", or what the child calls a failure.
    kind: str
    why: str = ""
    facts: Mapping[str, Any] | None = None


def run(
    module: str,
    order: Callable[[Path], Mapping[str, Any]],
    folder: Path,
    limits: Limits,
    on_line: Callable[[str], None],
) -> Ended:
    """Have a child do some work; nothing of it is left when this returns or raises.

    Args:
        module: what the child runs, as `python -m` does.
        order: the first line of its input, given the folder for its temporary files.
        folder: what it fills; its temporary files lie beside.
        limits: on time and memory.
        on_line: told how far it is.
    """
    with tempfile.TemporaryFile() as said, _started(module, order, folder, said) as child:
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
        return Ended("died", f"{_how(child.wait())}{_last_words(said)}")


@contextmanager
def _started(
    module: str, order: Callable[[Path], Mapping[str, Any]], folder: Path, said: IO[bytes]
) -> "Iterator[subprocess.Popen[bytes]]":
    # Beside the folder, because what a killed process leaves there is found and discarded.
    with (
        tempfile.TemporaryDirectory(prefix=f"{folder.name}-", dir=folder.parent) as scratch,
        subprocess.Popen(  # noqa: S603 - our own modules
            [sys.executable, "-W", "ignore", "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            bufsize=0,  # A buffer could not be closed while a thread reads it.
            cwd=scratch,
            env={**environment(os.environ), **dict.fromkeys(_TEMPORARY, scratch)},
            start_new_session=True,
        ) as child,
    ):
        try:
            _tell(child, {**order(Path(scratch)), "parent": os.getpid()})
            yield child
        finally:
            process_groups.kill(child)


def _tell(child: "subprocess.Popen[bytes]", order: Mapping[str, Any]) -> None:
    assert child.stdin is not None  # noqa: S101 - it is a pipe
    # The bytes of a path that this process could not decode; the child reads UTF-8.
    line = json.dumps(order, ensure_ascii=False).encode("utf-8", "surrogateescape") + b"\n"
    with suppress(OSError):  # It ended meanwhile, as the next read will show.
        child.stdin.write(line)


def _messages(
    child: "subprocess.Popen[bytes]", limits: Limits
) -> Iterator["Mapping[str, Any] | Ended"]:
    """What it says, until it has ended or a limit is reached."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(
        target=_read_into, args=(child.stdout, lines), name="potmodels-onnx", daemon=True
    ).start()
    watch, speaks = _memory_of(child.pid), True
    while speaks or child.poll() is None:
        if over := _over(limits, watch()):
            yield over
        try:
            line = lines.get(timeout=_SLICE)
        except queue.Empty:
            continue
        speaks = bool(line)
        yield from _parsed(line)


def _over(limits: Limits, used: int) -> Ended | None:
    if time.monotonic() > limits.end:
        return Ended("timeout", "the time was over")
    if used > limits.memory:
        allowed = f"{limits.memory / 1e9:.1f} GB are allowed"
        return Ended("memory", f"it took {used / 1e9:.1f} GB of memory, {allowed}")
    return None


def _parsed(line: bytes) -> Iterator[Mapping[str, Any]]:
    """A message; nothing for what a `sitecustomize` prints before the child can prevent it."""
    with suppress(ValueError):
        if isinstance(said := json.loads(line), dict):
            yield said


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
    return {**kept, **_PLAIN, "PYTHONPATH": os.pathsep.join(search_path(sys.path))}


def search_path(own: Sequence[str]) -> list[str]:
    """Where the child finds modules: as here, but for its standard library, which comes first.

    pytest puts folders of tests before it, when that library is imported already: a `token.py`
    among the tests would take the place of Python's own.
    """
    path = [os.path.abspath(each) for each in own if each]  # noqa: PTH100 - resolves no links
    return sorted(path, key=lambda each: not _is_standard(Path(each)))


def _is_standard(folder: Path) -> bool:
    archive = folder.suffix == ".zip" and folder.parent == _STANDARD.parent
    return archive or folder in (_STANDARD, _STANDARD / "lib-dynload")


def _read_into(stream: IO[bytes], lines: "queue.SimpleQueue[bytes]") -> None:
    with suppress(OSError, ValueError):  # Closed from the other side.
        for line in stream:
            lines.put(line)
    lines.put(b"")


def _how(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            doubt = " (was memory short?)" if -code == getattr(signal, "SIGKILL", 9) else ""
            return f"it was ended by {signal.Signals(-code).name}{doubt}"
    return f"it ended with exit code {code} and without a word"


def _last_words(said: IO[bytes]) -> str:
    said.seek(max(0, said.seek(0, os.SEEK_END) - _READ))
    lines = said.read().decode("utf-8", "replace").splitlines()
    last = [line.strip() for line in lines if line.strip()][-_SHOWN:]
    return f"; its last words: {' / '.join(last)}"[:600] if last else ""
