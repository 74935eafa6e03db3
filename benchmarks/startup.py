"""What the plugin costs a pytest run that uses no model, in instructions.

Counted by valgrind's callgrind, which gives the same number twice on a busy machine, in an
environment with nothing but pytest and the plugin, beside a plugin of the same surface (20
options, 15 fixtures, 3 markers, the same hooks) that does nothing. The collector is off.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from figures import Figure

#: Instructions that the plugin may add.
LIMIT = 13_000_000
ROOT = Path(__file__).resolve().parent.parent
RUN = "import gc; gc.disable(); import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))"
NOTHING = """
import pytest

def pytest_addoption(parser):
    group = parser.getgroup("nothing")
    for number in range(20):
        group.addoption(f"--nothing-{number}", dest=f"nothing_{number}", help="nothing")

def pytest_configure(config):
    for number in range(3):
        config.addinivalue_line("markers", f"nothing{number}: nothing")

@pytest.hookimpl(wrapper=True)
def pytest_collection(session): return (yield)

def pytest_collection_modifyitems(session, items): pass
""" + "".join(f"\n@pytest.fixture\ndef nothing{n}(request):\n    'Nothing.'\n" for n in range(15))


def figures() -> list[Figure]:
    """The whole start with the plugin, beside one without."""
    bare, _, ours = counts()
    goal = (bare + LIMIT) / bare
    return [Figure("pytest start-up, instructions", bare / 1e6, ours / 1e6, "million", goal)]


def counts() -> tuple[int, int, int]:
    """Instructions of bare pytest, with the plugin that does nothing, with ours."""
    if shutil.which("valgrind") is None:
        sys.exit("startup: valgrind is not installed (Debian: apt-get install valgrind).")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        python = environment(folder / "venv")
        (folder / "empty").mkdir()
        add_nothing_plugin(folder / "nothing")
        bare = count(python, folder, "no:potmodels", "no:nothing")
        return bare, count(python, folder, "no:potmodels"), count(python, folder, "no:nothing")


def main() -> None:
    """Count and print."""
    bare, nothing, ours = counts()
    print(f"bare pytest --collect-only: {bare / 1e6:.1f} million instructions")
    rows = {"a plugin of the same surface that does nothing": nothing, "pytest-potmodels": ours}
    for name, instructions in rows.items():
        added = instructions - bare
        print(f"{name:<48} +{added / 1e6:5.2f} million  ({added / bare:.2%})")
    print(f"limit: +{LIMIT / 1e6:.1f} million")


def environment(folder: Path) -> Path:
    """Make an environment with pytest and this package, as users install it; its python."""
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-c", str(ROOT / "constraints.txt"), "pytest"], check=True)
    subprocess.run([*pip, "--no-deps", str(ROOT)], check=True)
    return python


def add_nothing_plugin(folder: Path) -> None:
    """Write the plugin that does nothing, with the metadata that makes pytest load it."""
    meta = folder / "nothing-1.0.dist-info"
    meta.mkdir(parents=True)
    (folder / "nothing_plugin.py").write_text(NOTHING)
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: nothing\nVersion: 1.0\n")
    (meta / "entry_points.txt").write_text("[pytest11]\nnothing = nothing_plugin\n")
    (meta / "RECORD").write_text("nothing_plugin.py,,\n")


def count(python: Path, folder: Path, *without: str) -> int:
    """Instructions of `pytest --collect-only` in an empty folder."""
    blocked = [part for plugin in without for part in ("-p", plugin)]
    pytest = [str(python), "-c", RUN, "--collect-only", "-q", "-p", "no:cacheprovider", *blocked]
    env = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", "PYTHONPATH": str(folder / "nothing")}
    here = {"cwd": folder / "empty", "env": env, "capture_output": True, "text": True}
    subprocess.run(pytest, check=False, **here)  # type: ignore[call-overload]  # writes .pyc files
    tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    said = subprocess.run([*tool, *pytest], check=False, **here).stderr  # type: ignore[call-overload]
    return int(next(line for line in said.splitlines() if "Collected" in line).split()[-1])


if __name__ == "__main__":
    main()
