"""What bits depend on, and the switches that pin it."""

import pytest
import torch

from pytest_potmodels.lut.training.recipe import STACK_KEYS
from pytest_potmodels.lut.training.stack import pinned, stack


def test_the_stack_is_what_a_yaml_says_of_it() -> None:
    said = stack()
    assert tuple(said) == STACK_KEYS
    assert said["threads"] == 1
    assert said["torch"] == torch.__version__
    assert all(said.values())
    assert said == stack()


def test_a_variable_that_changes_sums_is_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MKL_CBWR", raising=False)
    plain = stack()
    monkeypatch.setenv("MKL_CBWR", "COMPATIBLE")
    assert stack() == {**plain, "processor": f"{plain['processor']} MKL_CBWR=COMPATIBLE"}


def test_switches_come_back_also_after_an_error() -> None:
    torch.manual_seed(0)
    before, threads = torch.get_rng_state(), torch.get_num_threads()

    def fail() -> None:
        with pinned():
            assert torch.get_num_threads() == 1
            assert torch.are_deterministic_algorithms_enabled()
            torch.rand(3)
            dict[str, int]()["gone"]

    with pytest.raises(KeyError):
        fail()
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.equal(torch.get_rng_state(), before)
