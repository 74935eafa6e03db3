"""The snippets and commands that describe this face, each as it stands, against real servers.

Changed are only the module that is imported and the program's name, and paths of the reader's own.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from standin import StandIn
from verification.conftest import TOKEN, Filled

from pytest_potmodels import errors
from pytest_potmodels.cli.dispatch import potmodels
from pytest_potmodels.verification import ModelFileVerifier
from pytest_potmodels.verification.benchmark import database, rows_file

EXAMPLE = Path(__file__).parents[2] / "examples" / "run_model_verification.sh"
API = """
from pytest_potmodels.verification import ModelFileVerifier

# Create a verifier
verifier = ModelFileVerifier(
    cache_dir="{cache}",
    huggingface_token="YOUR_TOKEN"
)

# Verify a model file
model_path, was_converted = verifier.verify_model_for_benchmark(
    model_id="bert-base-uncased",
    file_path="model.onnx",
    model_type="bert"
)

# Check if a model file exists
exists = verifier.verify_model_exists("bert-base-uncased", "model.onnx")

# Get model metadata
metadata = verifier.get_model_metadata("bert-base-uncased")

# Batch verify multiple models
results = verifier.batch_verify_models([
    {{"model_id": "bert-base-uncased", "file_path": "model.onnx", "model_type": "bert"}},
    {{"model_id": "t5-small", "file_path": "model.onnx", "model_type": "t5"}}
])
"""
BATCH = """
[
    {
        "model_id": "bert-base-uncased",
        "file_path": "model.onnx",
        "model_type": "bert"
    },
    {
        "model_id": "t5-small",
        "file_path": "model.onnx",
        "model_type": "t5"
    }
]
"""
NAMES = """
bert-base-uncased
t5-small
google/vit-base-patch16-224
"""

Type = Callable[..., Result]


@pytest.fixture
def command(filled: Filled) -> Type:
    """Type a command."""

    def type_command(line: str, *, code: int = 0) -> Result:
        program, *words = shlex.split(line)
        assert program == "potmodels"
        result = CliRunner(env=dict(os.environ)).invoke(potmodels, words)
        assert result.exit_code == code, f"{result.stdout}\n{result.stderr}"
        return result

    return type_command


def test_the_programming_interface(filled: Filled, hub: StandIn) -> None:
    made: dict[str, object] = {}
    exec(API.format(cache=filled.cache), made)  # noqa: S102 - the text above
    assert made["model_path"] == filled.of("bert-base-uncased").path
    assert made["was_converted"] is True
    assert made["exists"] is False
    assert made["metadata"].model_type == "bert"  # type: ignore[attr-defined]
    first, second = made["results"]  # type: ignore[misc]
    assert (first.was_converted, second.was_converted) == (True, False)  # type: ignore[has-type]
    assert second.model_type == "t5"  # type: ignore[has-type]
    assert hub.log.authorizations("cdn") == []


@pytest.mark.parametrize(
    "line",
    [
        "potmodels ensure --model bert-base-uncased --file-path model.onnx",
        "potmodels ensure --model bert-base-uncased --file-path model.onnx --model-type bert",
    ],
)
def test_one_model(command: Type, filled: Filled, line: str) -> None:
    assert str(filled.of("bert-base-uncased").path) in command(line).stdout


def test_whether_it_exists(command: Type) -> None:
    said = command(
        "potmodels ensure --model bert-base-uncased --file-path model.onnx --check-exists", code=1
    )
    assert said.stdout == "bert-base-uncased has no model.onnx\n"
    said = command("potmodels ensure --model t5-small --file-path model.onnx --check-exists")
    assert said.stdout == "t5-small has model.onnx\n"


def test_metadata(command: Type) -> None:
    said = command("potmodels ensure --model bert-base-uncased --get-metadata").stdout
    assert "huggingface:google-bert/bert-base-uncased" in said
    assert "none; it would be converted" in said
    assert command("potmodels metadata bert-base-uncased").stdout == said


def test_a_batch(command: Type) -> None:
    Path("batch_models.json").write_text(BATCH)
    said = command(
        "potmodels ensure --batch --batch-file batch_models.json --output batch_results.json"
    )
    assert len(said.stdout.splitlines()) == 3
    results = json.loads(Path("batch_results.json").read_text())
    assert [each["was_converted"] for each in results] == [True, False]
    assert [each["status"] for each in results] == ["ok", "ok"]


def test_another_cache_folder(command: Type, filled: Filled, project: Path) -> None:
    shutil.copytree(filled.cache, project / "other")
    said = command(
        "potmodels ensure --model bert-base-uncased --file-path model.onnx --cache-dir other"
    )
    assert str(project / "other") in said.stdout


def test_a_token(command: Type, hub: StandIn) -> None:
    said = command(
        f"potmodels ensure --model private-repo/model --file-path model.onnx --token {TOKEN}"
    )
    assert "HF_TOKEN in the environment is not" in said.stderr
    assert TOKEN not in said.stdout + said.stderr
    assert hub.log.authorizations("cdn") == []


def test_cleanup(
    filled: Filled, project: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was used long ago goes when a file comes, where the threshold is passed."""
    cache = project / "small"
    old = cache / "models" / "huggingface_org--large_onnx--model.onnx"
    shutil.copytree(filled.cache / "models" / old.name, old)
    monkeypatch.setenv("CACHE_CLEANUP_THRESHOLD", "0.000001")
    monkeypatch.setenv("CACHE_CLEANUP_MIN_AGE_DAYS", "0")
    pipeline = ModelFileVerifier(cache_dir=cache).pipeline
    pipeline.acquire(pipeline.catalog.request("huggingface:t5-small:model.onnx"))
    assert not old.exists()
    assert "cleanup (CACHE_CLEANUP_THRESHOLD" in caplog.text


@pytest.mark.slow  # PyTorch and ONNX Runtime come in anew for each measurement
def test_a_benchmark(command: Type) -> None:
    said = command("potmodels benchmark --model bert-base-uncased --file-path model.onnx")
    assert [line.split()[1:4] for line in said.stdout.splitlines()[1:]] == [
        ["torch", "ok", "converted"],
        ["onnxruntime", "ok", "converted"],
    ]
    rows = rows_file.read(Path("benchmark_rows.jsonl")).rows
    for row in rows:
        assert row.was_converted
        assert Path(row.path).exists()
        assert 0 < row.p50_ms <= row.p90_ms <= row.p99_ms
        assert row.load_s > 0
        assert row.peak_mb > row.memory_mb >= 0
        assert row.memory_mb < 100  # The model has 0.1 MB; the libraries are not its own.
        assert row.versions["torch"]
        assert (row.runs, row.warmup) == (30, 3)
    assert database.read(Path("benchmark_rows.duckdb")) == rows
    said = command("potmodels benchmark report")
    assert Path("benchmark_rows.png").exists()
    assert said.stdout.count("bert-base-uncased") == 1


@pytest.mark.slow  # PyTorch comes in anew for each model
def test_a_benchmark_of_several_models(command: Type) -> None:
    Path("models.txt").write_text(NAMES)
    said = command("potmodels benchmark --models bert-base-uncased t5-small --file-path model.onnx")
    assert said.stdout.count(" ok ") == 4
    said = command("potmodels benchmark --model-file models.txt")
    assert said.stdout.count(" ok ") == 6
    assert len(database.read(Path("benchmark_rows.duckdb"))) == 10
    assert command("potmodels benchmark report").stdout.count("original") == 2


@pytest.mark.slow  # a dozen commands, and PyTorch
def test_the_example(filled: Filled, project: Path, tmp_path: Path) -> None:
    if (bash := shutil.which("bash")) is None:
        pytest.skip("there is no bash")
    program = tmp_path / "potmodels"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pytest_potmodels "$@"\n')
    program.chmod(0o755)
    environ = {**os.environ, "POTMODELS": str(program), "RUNS": "2"}
    ended = subprocess.run(
        [bash, EXAMPLE, "bert-base-uncased"],
        env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    made = {path.name for path in Path("verification_results").iterdir()}
    assert made >= {"batch_results.json", "benchmark_rows.jsonl", "benchmark_rows.duckdb"}


def test_the_example_is_sound() -> None:
    if (shellcheck := shutil.which("shellcheck")) is None:
        pytest.skip("there is no shellcheck")
    subprocess.run([shellcheck, EXAMPLE], check=True)


def test_the_errors_are_of_one_family() -> None:
    base = errors.ModelVerificationError
    for kind in (
        errors.ModelConversionError, errors.ModelFileNotFoundError, errors.ModelConnectionError,
    ):  # fmt: skip
        assert issubclass(kind, base)
