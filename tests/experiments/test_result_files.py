"""Results on disk: whole, apart from each other, refused when damaged."""

import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.errors import UsageError
from pytest_potmodels.experiments import (
    ExperimentConfig,
    ExperimentResult,
    list_results,
    read_result,
)
from pytest_potmodels.experiments.recording import Recording
from pytest_potmodels.experiments.result_files import write_result
from pytest_potmodels.experiments.results import Code, sha256_of

#: Writes results of growing size until it is killed; says so when it has begun.
_WRITER = """
import sys
from dataclasses import replace
from pytest_potmodels.experiments import ExperimentConfig
from pytest_potmodels.experiments.recording import Recording
from pytest_potmodels.experiments.result_files import write_result
from pytest_potmodels.experiments.results import Code

recording = Recording(ExperimentConfig("demo", output_dir=sys.argv[1]), Code("f", "", ""))
print("begun", flush=True)
while True:
    for words in (10, 100_000):
        write_result(replace(recording.result, config={"seed": 1, "words": ["x"] * words}))
"""


def test_a_result_that_was_read_is_the_one_that_was_written(result: ExperimentResult) -> None:
    assert result.path
    found = read_result(result.path)
    assert found == result
    assert found.path == result.path
    text = result.path.read_text(encoding="utf-8")
    assert text.isascii()
    assert [path.name for path in result.path.parent.iterdir()] == [result.path.name]


def test_every_word_of_the_plan_can_be_written(tmp_path: Path) -> None:
    config = ExperimentConfig("demo", output_dir=tmp_path, description="\udcff € \x00", tags=["ü"])
    recording = Recording(config, Code("f", "", ""))
    recording.finish()
    assert read_result(recording.result.path or "").config["description"] == "\udcff € \x00"


def test_a_killed_run_leaves_a_whole_record_that_says_started(tmp_path: Path) -> None:
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path)], stdout=subprocess.PIPE
        ) as child:
            assert child.stdout
            assert child.stdout.readline() == b"begun\n"
            threading.Event().wait(0.1)
            child.kill()
    listed = list_results(tmp_path)
    assert [each.result.status if each.result else each.damage for each in listed] == [
        "started"
    ] * 3


def test_runs_that_start_together_have_a_file_each(tmp_path: Path) -> None:
    config = ExperimentConfig("demo", output_dir=tmp_path)
    started = threading.Barrier(8)

    def start() -> None:
        started.wait()
        for _ in range(5):
            Recording(config, Code("f", "", ""))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(tmp_path.glob("demo/*.json"))) == 40


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        ("[]", "expected dict, found []"),
        ("{}", "'schema' is missing"),
        ('{"schema": 2}', "it has schema 2, this version reads 1"),
        ('{"schema": 1}', "'sha256' is missing"),
        ('{"schema": 1, "sha256": "0"}', "another sha256"),
        ('{"schema": NaN}', "NaN is no JSON"),
        ("[" * 100_000, "nested too deeply"),
    ],
    ids=["empty", "cut", "list", "nothing", "newer", "bare", "digest", "nan", "deep"],
)
def test_a_file_that_is_no_result_is_refused_with_its_path(
    text: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / "result.json"
    file.write_text(text)
    with pytest.raises(UsageError) as raised:
        read_result(file)
    assert str(file) in raised.value.message
    assert said in raised.value.message


def test_one_changed_digit_or_a_missing_end_is_found(result: ExperimentResult) -> None:
    assert result.path
    text = result.path.read_text()
    for damaged in (text.replace("0.5", "0.6"), text[:-200]):
        assert damaged != text
        result.path.write_text(damaged)
        with pytest.raises(UsageError, match="no result of an experiment, or damaged"):
            read_result(result.path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("status", "done"), ("models", {}), ("models", [{}]), ("repeats", [{"index": 0}]),
        ("name", None), ("failure", []), ("config", []), ("extra", 1), ("seconds", 3),
    ],
)  # fmt: skip
def test_a_file_with_a_right_digest_and_wrong_content_is_refused(
    key: str, value: Any, result: ExperimentResult
) -> None:
    assert result.path
    record = {**json.loads(result.path.read_text()), key: value}
    del record["sha256"]
    result.path.write_text(json.dumps({**record, "sha256": sha256_of(record)}))
    with pytest.raises(UsageError, match="no result of an experiment, or damaged"):
        read_result(result.path)


def test_a_list_has_what_is_there_and_what_is_damaged(
    result: ExperimentResult, clean: Path
) -> None:
    assert result.path
    write_result(replace(result, path=result.path.with_name("20200101T000000Z-0.json")))
    (result.path.parent / "zzz.json").write_text("{")
    (result.path.parent / result.run_id).mkdir()
    (result.path.parent / result.run_id / "artifact.json").write_text("[1]")
    old, new, damaged = list_results()
    assert old.result == new.result == result
    assert old.path.name == "20200101T000000Z-0.json"
    assert damaged.result is None
    assert "zzz.json" in damaged.damage
    with pytest.raises(UsageError, match="There is no folder"):
        list_results(clean / "elsewhere")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no result"):
        read_result(tmp_path / "gone.json")
