"""Under pytest-xdist a worker computes on its share of the cores, unless somebody decided else."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

from pytest_potmodels.session.cores import usable_cores

#: Of two workers.
SHARE = max(1, usable_cores() // 2)
#: No machine starts with this number.
ODD = 2 * (os.cpu_count() or 1) + 1
NAMES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "TOKENIZERS_PARALLELISM")
#: Two tests, so that both workers have one.
SUITE = """
import json, os, pathlib
import pytest
{top}

@pytest.mark.{mark}
@pytest.mark.parametrize("n", range(2))
def test_it(n):
    import torch
    said = {{"torch": torch.get_num_threads(), **{{k: os.environ.get(k) for k in {names}}}}}
    pathlib.Path(f"said-{{n}}.json").write_text(json.dumps(said))
"""


@dataclass
class Suite:
    """Runs the suite, and gives what its tests found in their worker."""

    pytester: pytest.Pytester

    def run(
        self, *options: str, top: str = "", mark: str = 'pot_model("bert")', conftest: str = ""
    ) -> dict[str, object]:
        self.pytester.makeconftest(conftest)
        self.pytester.makepyfile(SUITE.format(top=top, mark=mark, names=NAMES))
        result = self.pytester.runpytest_subprocess("--pot-offline", *(options or ("-n2",)))
        result.assert_outcomes(passed=2)
        first, second = (
            json.loads((self.pytester.path / f"said-{n}.json").read_text()) for n in range(2)
        )
        assert first == second
        return dict(first)


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    for name in NAMES:  # A worker that runs these tests has its share, too.
        monkeypatch.delenv(name, raising=False)
    return Suite(pytester)


@pytest.mark.parametrize("top", ["", pytest.param("import torch", marks=pytest.mark.slow)])
def test_torch_gets_its_share_wherever_it_is_imported(suite: Suite, top: str) -> None:
    said = suite.run(top=top)
    assert said["torch"] == SHARE
    assert said["OMP_NUM_THREADS"] == said["RAYON_NUM_THREADS"] == str(SHARE)


def torch_threads() -> int:
    """What torch starts with under these variables."""
    command = [sys.executable, "-c", "import torch; print(torch.get_num_threads())"]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.parametrize(("top", "given"), [
    pytest.param(
        *("", {"OMP_NUM_THREADS": str(usable_cores()), "TOKENIZERS_PARALLELISM": "false"}),
        marks=pytest.mark.slow,
    ),
    ("import torch", {"MKL_NUM_THREADS": str(usable_cores()), "RAYON_NUM_THREADS": "3"}),
])  # fmt: skip
def test_numbers_that_the_user_gave_stay(
    suite: Suite, monkeypatch: pytest.MonkeyPatch, top: str, given: dict[str, str]
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    said = suite.run(top=top)
    assert said.pop("torch") == torch_threads()
    assert {name: value for name, value in said.items() if value} == given


@pytest.mark.slow
def test_a_call_of_the_users_stays(suite: Suite) -> None:
    said = suite.run(conftest=f"import torch\ntorch.set_num_threads({ODD})")
    assert said["torch"] == ODD


def test_a_run_without_models_is_left_alone(suite: Suite) -> None:
    said = suite.run(top="import torch", mark="skipif(False, reason='')")
    assert said.pop("torch") == torch_threads()
    assert not any(said.values())


def test_one_process_has_the_machine(suite: Suite) -> None:
    said = suite.run("-n0")
    assert said.pop("torch") == torch_threads()
    assert not any(said.values())
