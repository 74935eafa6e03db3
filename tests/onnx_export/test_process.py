"""The process of an export: its end, its limits, and the same bytes from everywhere."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from onnx_export.asking import ask, open_cache, request, start

import pytest_potmodels
from pytest_potmodels import onnx_export
from pytest_potmodels.errors import ModelConversionError, ModelUnsupportedError, UsageError
from pytest_potmodels.onnx_export import Input, Recipe, attempt, process, register_recipe

NAME = "mock:vision"


def derived(cache: Path) -> list[str]:
    return sorted(path.name for path in (cache / "derived").glob("*"))


def children() -> list[psutil.Process]:
    """The exports that run below this process."""
    found = psutil.Process().children(recursive=True)
    return [each for each in found if attempt.CHILD in " ".join(each.cmdline())]


def wait_for_the_export(asked: Any) -> str:
    for line in asked.stdout:
        if "exporting" in line:
            return str(line)
    raise AssertionError(asked.stderr.read())


@pytest.fixture(scope="module")
def killed(once: Callable[..., Any]) -> tuple[Path, dict[str, Any]]:
    """A process is killed in mid-export; then another one asks."""

    def play(cache: Path) -> dict[str, Any]:
        with start(cache, NAME) as asked:
            wait_for_the_export(asked)
            (child,) = psutil.Process(asked.pid).children()
            os.kill(asked.pid, signal.SIGKILL)
            asked.wait()
            gone, alive = psutil.wait_procs([child], timeout=20)
        visible = derived(cache)
        after = ask(cache, NAME, environ={"PYTHONHASHSEED": "0"})
        return {"gone": len(gone), "alive": len(alive), "visible": visible, "after": after}

    found: tuple[Path, dict[str, Any]] = once("killed", play)
    return found


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX's")
def test_a_kill_leaves_neither_a_child_nor_a_file(killed: tuple[Path, dict[str, Any]]) -> None:
    cache, found = killed
    assert (found["gone"], found["alive"], found["visible"]) == (1, 0, [])
    assert found["after"]["fresh"]
    assert derived(cache) == [found["after"]["key"]]
    assert list((cache / ".pot" / "partial").glob("*")) == []


@pytest.mark.slow  # a second export of the same
def test_another_folder_and_another_hash_seed_give_the_same_bytes(
    killed: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    package = Path(pytest_potmodels.__file__).parent
    shutil.copytree(package, tmp_path / "elsewhere" / package.name)
    environ = {"PYTHONHASHSEED": "77", "PYTHONPATH": str(tmp_path / "elsewhere")}
    answer = ask(tmp_path / "cache", NAME, environ=environ)
    assert "error" not in answer
    assert answer["fresh"]
    before = killed[1]["after"]
    assert (answer["digest"], answer["key"]) == (before["digest"], before["key"])
    content = Path(answer["file"]).read_bytes()
    for place in (tmp_path, package):
        assert str(place).encode() not in content


def test_when_the_time_is_over_nothing_is_left(cache: Path) -> None:
    with pytest.raises(ModelConversionError, match=r"mock:vision was not exported .* within 0.3 s"):
        onnx_export.exported(open_cache(cache), request(NAME), timeout=0.3)
    assert derived(cache) == []
    assert children() == []


def test_when_the_memory_is_over_every_strategy_is_tried(cache: Path) -> None:
    started = time.monotonic()
    with pytest.raises(ModelConversionError) as caught:
        onnx_export.exported(open_cache(cache), request(NAME), memory=20_000_000)
    assert [line.partition(":")[0] for line in caught.value.tried] == [
        "dynamo", "dynamo-unoptimized", "static-sequence", "legacy",
    ]  # fmt: skip
    assert "0.0 GB are allowed" in str(caught.value)
    assert (derived(cache), children()) == ([], [])
    assert time.monotonic() - started < 60


@pytest.mark.slow
def test_a_recipe_that_does_not_fit_is_a_reason_to_skip(cache: Path, own_recipes: None) -> None:
    register_recipe(Recipe("mine", (Input("pixels", ("batch", 3)),), classes=("MockVision*",)))
    with pytest.raises(ModelUnsupportedError) as caught:
        onnx_export.exported(open_cache(cache), request(NAME))
    assert "'mine' feeds pixels, which MockVisionModel.forward(x) does not take" in str(
        caught.value
    )
    assert caught.value.reason == "not-exportable"
    assert derived(cache) == []


@pytest.mark.slow  # a process that imports all for a word
def test_a_part_that_is_not_there_is_a_mistake_of_the_caller(cache: Path) -> None:
    with pytest.raises(UsageError, match=r"no part 'clasifier'\. Did you mean classifier"):
        onnx_export.exported(open_cache(cache), request(NAME), part="clasifier")
    assert derived(cache) == []


def test_the_child_gets_no_secret_and_no_wish_to_fail() -> None:
    environ = {
        "HF_TOKEN": "hf_x",
        "PYTHONWARNINGS": "error",
        "PATH": "/bin",
        "OMP_NUM_THREADS": "8",
    }
    found = process.environment(environ)
    assert "HF_TOKEN" not in found
    assert "PYTHONWARNINGS" not in found
    assert (found["PATH"], found["OMP_NUM_THREADS"]) == ("/bin", "1")


def test_a_folder_of_tests_does_not_take_the_place_of_the_standard_library(
    tmp_path: Path,
) -> None:
    (tmp_path / "token.py").write_text("raise RuntimeError", encoding="utf-8")
    (tmp_path / "mine.py").write_text("", encoding="utf-8")
    path = process.search_path([str(tmp_path), "relative", "", *sys.path])
    assert all(Path(each).is_absolute() for each in path)
    done = subprocess.run(
        [sys.executable, "-P", "-c", "import tokenize, mine"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


CHATTER = """
import json, os, subprocess, sys, time
order = json.loads(sys.stdin.readline())
print("hello from sitecustomize", flush=True)
print("[1, 2]", flush=True)
print("7", flush=True)
tell = lambda **said: print(json.dumps(said), flush=True)
if order["what"] == "answer":
    tell(line="so far")
    tell(done={"own": os.environ["TMPDIR"], "path": order["path"]})
    time.sleep(60)
elif order["what"] == "silent":
    os.close(1)
    time.sleep(60)
elif order["what"] == "grandchild":
    tell(line=str(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid))
    time.sleep(60)
elif order["what"] == "hoard":
    kept = bytearray(400_000_000)
    time.sleep(60)
sys.exit(3)
"""


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Has a child do one thing; gives what it came to, and the lines that it said."""
    (tmp_path / "chatter.py").write_text(CHATTER, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    folder = tmp_path / "stage" / "derived-key@1"
    folder.mkdir(parents=True)

    def ask(what: str, seconds: float = 30.0) -> tuple[process.Ended, list[str]]:
        lines: list[str] = []
        limits = process.Limits(time.monotonic() + seconds, 300_000_000)
        order = {"what": what, "path": "\udcc3\udc9f"}  # As Python has it under LANG=C.
        ended = process.run("chatter", lambda _: order, folder, limits, lines.append)
        assert list(folder.parent.iterdir()) == [folder]
        return ended, lines

    return ask


def test_what_others_print_is_no_answer(talk: Callable[..., Any], tmp_path: Path) -> None:
    ended, lines = talk("answer")
    assert (ended.kind, lines) == ("done", ["so far"])
    assert ended.facts["path"] == "ß"
    # Beside the folder, and with its name: what is left of a killed run is found by it.
    assert ended.facts["own"].startswith(str(tmp_path / "stage" / "derived-key@1-"))


def test_a_child_that_says_no_more_and_does_not_end_is_ended(talk: Callable[..., Any]) -> None:
    assert talk("silent", seconds=1.0)[0].kind == "timeout"


def test_what_a_child_has_started_ends_with_it(talk: Callable[..., Any]) -> None:
    ended, (pid,) = talk("grandchild", seconds=1.0)
    assert ended.kind == "timeout"
    with contextlib.suppress(psutil.NoSuchProcess):
        assert psutil.Process(int(pid)).wait(timeout=20) is None


def test_a_child_that_hoards_memory_is_ended(talk: Callable[..., Any]) -> None:
    ended, _ = talk("hoard")
    assert (ended.kind, "GB of memory, 0.3 GB are allowed" in ended.why) == ("memory", True)


def test_a_child_that_ends_without_a_word_is_told_with_its_code(talk: Callable[..., Any]) -> None:
    ended, _ = talk("nothing")
    assert (ended.kind, ended.why) == ("died", "it ended with exit code 3 and without a word")


def test_a_child_ends_with_its_input() -> None:
    """Where the kernel is not asked, and on other systems, the pipe alone tells."""
    code = (
        "import os, sys, time\n"
        "from pytest_potmodels.onnx_export.lifeline import die_with_parent\n"
        "die_with_parent(os.getppid())\n"
        "print('ready', flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == b"ready\n"
        child.stdin.close()
        assert child.wait(timeout=20) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the pipe alone tells")
def test_a_child_whose_parent_is_gone_already_ends(tmp_path: Path) -> None:
    order = {"order": {}, "rung": "dynamo", "folder": str(tmp_path), "samples": "", "parent": 1}
    done = subprocess.run(
        [sys.executable, "-m", attempt.CHILD],
        input=json.dumps(order).encode() + b"\n",
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
