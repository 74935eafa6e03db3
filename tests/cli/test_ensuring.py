"""`ensure`, `metadata` and `benchmark`: words, exit codes, and what they refuse."""

import json
import os
import signal
import time
from pathlib import Path

import psutil
import pytest
from cli.harness import Cli
from standin import FlippedByte, Hang, Repo

CONFIG = b'{"model_type": "bert"}'


@pytest.fixture
def repo(cli: Cli) -> Repo:
    """A model with an ONNX file that is none."""
    return cli.site.add_repo("org/onnx", {"config.json": CONFIG, "model.onnx": b"onnx" * 99})


@pytest.mark.usefixtures("repo")
def test_whether_files_exist_is_an_exit_code(cli: Cli) -> None:
    assert cli.run("ensure", "org/onnx", "--check-exists").stdout == "org/onnx has model.onnx\n"
    words = ("ensure", "org/onnx", "--file-path", "other.onnx", "--check-exists")
    assert cli.run(*words, code=1).stdout == "org/onnx has no other.onnx\n"
    (said,) = cli.json(*words, code=1)
    assert said["exists"] is False
    assert "closed by --offline" in cli.fails(
        "ensure", "org/x", "--check-exists", "--offline", code=3
    )


@pytest.mark.usefixtures("repo")
def test_metadata_are_one_object_a_model(cli: Cli) -> None:
    (said,) = cli.json("metadata", "org/onnx")
    assert {"name", "source", "revision", "files"} <= said.keys()
    assert said["onnx_files"] == ["model.onnx"]
    assert "private, or the name is wrong" in cli.fails("metadata", "org/onnx", "org/none", code=3)


@pytest.mark.usefixtures("repo")
def test_wrong_bytes_are_exit_code_4(cli: Cli) -> None:
    cli.site.fault(FlippedByte(at=3), "model.onnx", times=None)
    assert "sha256" in cli.fails("ensure", "org/onnx", code=4)


def test_a_model_that_cannot_be_had_is_exit_code_3(cli: Cli) -> None:
    (said,) = cli.json("ensure", "org/none", code=3)
    assert (said["status"], said["problem"]["kind"]) == ("failed", "ModelFileNotFoundError")
    assert said["path"] is None
    assert {"name", "source", "revision", "files"} <= said.keys()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["ensure"], "No model is named"),
        (["ensure", "--batch"], "--batch-file FILE.json"),
        (["ensure", "org/x", "--batch-file", "batch.json"], "is named beside --batch-file"),
        (["ensure", "org/x", "--file-path", "../x.onnx"], "no path of an ONNX file"),
        (["ensure", "org/x", "--model-type", "brt"], "Did you mean 'bert'"),
        (["ensure", "org/x", "--check-exists", "--get-metadata"], "two questions"),
        (["ensure", "org/x", "--scheduler", "localhost"], "no address of a Dask scheduler"),
        (["metadata"], "NAME"),
        (["benchmark", "--models"], "No model is named"),
        (["benchmark", "org/x", "--runs", "0"], "--runs"),
        (["benchmark", "org/x", "--backend", "tensorflow"], "tensorflow"),
        (["benchmark", "--model-file", "absent.txt"], "cannot be read"),
        (["benchmark", "org/x", "--rows", "notes.txt"], "no file of rows"),
        (["benchmark", "org/x", "--database", "notes.txt"], "would be replaced"),
        (["benchmark", "org/x", "--rows", "a.duckdb"], "both the rows and their database"),
        (["benchmark", "org/x", "--threads", "99999"], "cores"),
        (["benchmark", "load", "r.jsonl", "--database", "r.jsonl"], "both the rows and"),
        (["ensure", "org/x", "--check-exists", "--scheduler", "tcp://h:1"], "is asked here"),
        (["ensure", "--batch-file", "ok.json", "--model-type", "bert"], "into the file"),
        (["benchmark", "report", "--plot", "a.png", "--no-plot"], "contradict"),
        (["ensure", "hf:org/x:onnx/a.onnx", "--file-path", "b.onnx"], "another file than"),
        (["export", "resnet18", "--model-type", "brt"], "Did you mean 'bert'"),
        (["benchmark", "report", "absent.jsonl"], "cannot be read"),
        (["benchmark", "load", "absent.jsonl"], "cannot be read"),
    ],
    ids=range(24),
)
def test_what_cannot_be_meant_is_refused(cli: Cli, words: list[str], told: str) -> None:
    (cli.folder / "batch.json").write_text("[]")
    (cli.folder / "ok.json").write_text('[{"model_id": "org/x"}]')
    (cli.folder / "notes.txt").write_text("my own notes")
    assert told in cli.fails(*words, code=2)
    assert not cli.cache.exists()
    assert (cli.folder / "notes.txt").read_text() == "my own notes"


@pytest.mark.parametrize(
    "text", ["no json", "{}", "[]", '["x"]', '[{"model": "x"}]', '[{"model_id": 1}]']
)
def test_a_hostile_batch_file_is_refused(cli: Cli, text: str) -> None:
    (cli.folder / "batch.json").write_text(text)
    assert "batch.json" in cli.fails("ensure", "--batch", "--batch-file", "batch.json", code=2)


def test_a_batch_that_fails_writes_its_results_even_so(cli: Cli) -> None:
    batch = [{"model_id": "org/none"}, {"model_id": "resnet81"}]
    (cli.folder / "batch.json").write_text(json.dumps(batch))
    told = cli.fails(
        "ensure", "--batch", "--batch-file", "batch.json", "--output", "o.json", code=3
    )
    assert told.count("error:") == 2
    results = json.loads(Path("o.json").read_text())
    kinds = [each["problem"]["kind"] for each in results]
    assert kinds == ["ModelFileNotFoundError", "UnknownNameError"]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_ends_a_batch_and_its_processes(cli: Cli) -> None:
    cli.site.fault(Hang(seconds=60), "/api/models", times=None)
    with cli.start("ensure", "org/a", "org/b") as child:
        end = time.monotonic() + 30
        while not cli.site.log.select("/api/models"):
            assert time.monotonic() < end
            time.sleep(0.02)
        working = psutil.Process(child.pid).children(recursive=True)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert "Traceback" not in err
    assert working
    assert psutil.wait_procs(working, timeout=10)[1] == []


def test_a_file_of_a_repository_is_a_model_to_all_commands(cli: Cli, repo: Repo) -> None:
    name = "huggingface:org/onnx:model.onnx"
    assert cli.json("download", name)[0]["status"] == "fetched"
    (listed,) = cli.json("list")
    assert (listed["name"], listed["format"]) == ("org/onnx:model.onnx", "onnx")
    cli.run("verify", name)
    cli.run("lock", name)
    assert "model.onnx" in (cli.folder / "potmodels.lock").read_text()
    cli.run("download", name, "--locked", "--offline")
    cli.run("remove", name)
    assert cli.json("list") == []


def test_a_token_on_the_command_line_is_warned_of(cli: Cli) -> None:
    words = ("ensure", "org/none", "--check-exists", "--token", "hf_abc")
    told = cli.run(*words, code=1).stderr
    assert "HF_TOKEN in the environment is not" in told
    assert "hf_abc" not in told


def test_a_benchmark_of_nothing_that_is_there_keeps_a_row(cli: Cli) -> None:
    told = cli.run("benchmark", "org/none", code=3)
    assert "To mend it: check the spelling" in told.stderr
    assert "failed: private-or-missing" in told.stdout
    (said,) = map(json.loads, (cli.folder / "benchmark_rows.jsonl").read_text().splitlines())
    assert (said["status"], said["kind"], said["backend"]) == (
        "failed", "ModelFileNotFoundError", "",
    )  # fmt: skip
    assert "1 row in" in cli.run("benchmark", "load").stderr
    assert "no row that went well" in cli.run("benchmark", "report").stderr


def test_a_damaged_line_is_told_and_an_exit_code(cli: Cli) -> None:
    (cli.folder / "rows.jsonl").write_text("{torn\n")
    assert "rows.jsonl:1" in cli.run("benchmark", "load", "rows.jsonl", code=1).stderr
    assert "rows.jsonl:1" in cli.run("benchmark", "report", "rows.jsonl", code=1).stderr


def test_help_of_a_benchmark_names_its_commands(cli: Cli) -> None:
    said = cli.run("benchmark", "--help").stdout
    assert all(name in said for name in ("run", "report", "load"))
    assert "--runs" in cli.run("benchmark", "run", "--help").stdout
