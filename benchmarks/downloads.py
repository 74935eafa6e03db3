"""The command line on a warm cache, and several models at once from a slow server.

The server is the tests' stand-in of the hub, in this process; what is measured are processes of
their own. Warm: processor time, in pairs. At once: seconds on the clock, which the server decides.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from figures import Figure, of_pairs, table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from standin import Slowed, StandIn

ROUNDS = 15
NAMES = tuple(f"huggingface:org/m{number}" for number in range(4))
#: 1 MB of weights and two small files; a body takes about two seconds.
FILES = {"config.json": b"{}", "model.safetensors": bytes(1_000_000), "tokenizer.json": b"{}"}
PACE = 500_000
CLIENT = ("-c", "from huggingface_hub import snapshot_download")
#: huggingface_hub 2 imports next to nothing until a name of it is used.
SHELL = ("-c", "import huggingface_hub")


def figures() -> list[Figure]:
    """The figures, from servers and caches that are made for them."""
    with StandIn() as site, tempfile.TemporaryDirectory() as scratch:
        for name in NAMES:
            files = {**FILES, "model.safetensors": FILES["model.safetensors"] + name.encode()}
            site.add_repo(name.partition(":")[2], files)
        return [*warm(site, Path(scratch)), at_once(site, Path(scratch))]


def warm(site: StandIn, folder: Path) -> list[Figure]:
    """A download of what is there, beside the import of the hub's client."""
    environ = {**site.environ(), "POT_CACHE_DIR": str(folder / "warm")}
    ours = ("-m", "pytest_potmodels", "download", NAMES[0])
    run(ours, environ)
    rows: dict[str, list[tuple[float, float]]] = {name: [] for name in beside()}
    for _ in range(ROUNDS):
        mine = processor(ours, environ)
        for name, words in beside().items():
            rows[name].append((processor(words, environ), mine))
    goals = {"import huggingface_hub": 2.5}
    title = "a download of what is there, processor"
    return [
        of_pairs(title, pairs, "ms", goals.get(name), beside=name) for name, pairs in rows.items()
    ]


def beside() -> dict[str, Sequence[str]]:
    """What users of the hub's own client pay before it does anything."""
    return {SHELL[1]: SHELL, CLIENT[1]: CLIENT}


def at_once(site: StandIn, folder: Path) -> Figure:
    """Four models with four jobs, beside one after the other."""
    site.fault(Slowed(PACE), "model.safetensors", server="cdn", times=None)
    pairs = []
    for number in range(3):
        seconds = []
        for name, jobs in (("alone", "1"), ("at_once", "4")):
            cache = folder / f"{name}-{number}"
            started = time.monotonic()
            words = ("-m", "pytest_potmodels", "download", *NAMES, "--jobs", jobs)
            run(words, {**site.environ(), "POT_CACHE_DIR": str(cache)})
            seconds.append(time.monotonic() - started)
        pairs.append(seconds)
    site.heal()
    return of_pairs("four models with --jobs 4", pairs, "s", 1 / 3, beside="--jobs 1")


def run(words: Sequence[str], environ: Mapping[str, str]) -> None:
    """Run Python to its end; it must succeed."""
    done = subprocess.run(
        [sys.executable, *words], env=_environ(environ), capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"downloads: {words} failed:\n{done.stderr}")


def processor(words: Sequence[str], environ: Mapping[str, str]) -> float:
    """Milliseconds of user and system time of one Python process."""
    null = subprocess.DEVNULL
    with subprocess.Popen(
        [sys.executable, *words], env=_environ(environ), stdout=null, stderr=null
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"downloads: {words} failed")
    return 1000 * (usage.ru_utime + usage.ru_stime)


def _environ(more: Mapping[str, str]) -> dict[str, str]:
    """With compiled files kept: that is how installed programs start."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("POT_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, **more}


def main() -> None:
    """Measure and print."""
    print(table(figures()))


if __name__ == "__main__":
    main()
