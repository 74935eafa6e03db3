"""Two processes, one plan, one machine: the same bits. And what is imported for what."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from experiments.conftest import NETWORK, Project

from pytest_potmodels.experiments import (
    ExperimentConfig,
    FileExperiment,
    ReproducibleExperimentRunner,
    compare,
    list_results,
)

_IMPORTS = """
import sys
import pytest_potmodels.experiments
from pytest_potmodels.experiments import *
ExperimentConfig("demo")
heavy = {"torch", "torchvision", "transformers", "numpy", "yaml", "huggingface_hub", "rich"}
print(sorted(heavy & set(sys.modules)))
"""
#: The training steps of these tests, as a file of a user's; no hash of a string may matter.
_TRAIN = """
import sys
sys.path.insert(0, {tests!r})
from experiments.conftest import trained as run
"""


@pytest.mark.slow
def test_two_processes_under_one_plan_give_the_same_bits(project: Project) -> None:
    train = project.folder / "train.py"
    train.write_text(_TRAIN.format(tests=str(Path(__file__).resolve().parents[1])))
    config = ExperimentConfig("train", model_architecture=NETWORK, threads=2)
    ReproducibleExperimentRunner(config).run(FileExperiment(train))
    words = ("experiment", "run", "train.py", "--set", f"model_architecture={NETWORK}")
    other = subprocess.run(
        [sys.executable, "-m", "pytest_potmodels", *words, "--set", "threads=2"],
        env={**os.environ, "PYTHONHASHSEED": "1", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert other.returncode == 0, other.stdout
    first, second = (each.result for each in list_results())
    assert first
    assert second
    found = compare(first, second)
    assert found.verdict == "same plan, same machine, metrics bit-equal"
    assert {each.name for each in found.differences} == {
        "variables.PYTHONHASHSEED", "variables.OMP_NUM_THREADS",
    }  # fmt: skip
    assert first.repeats[0].checksum_after == second.repeats[0].checksum_after
    assert first.repeats[0].changed_model
    assert not first.is_mock


def test_importing_the_face_and_making_a_plan_imports_no_framework() -> None:
    said = subprocess.run(
        [sys.executable, "-c", _IMPORTS], capture_output=True, text=True, check=True
    )
    assert said.stdout == "[]\n"
