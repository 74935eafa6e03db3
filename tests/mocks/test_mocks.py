"""Stand-ins as a whole: deterministic, of the stated size, and alone with torch."""

import subprocess
import sys

import pytest
import torch

from pytest_potmodels.artifacts import state_checksum
from pytest_potmodels.mocks import build_mock

_MEGABYTE = 1024 * 1024
KINDS = ("vision", "language")

_IN_A_NEW_PROCESS = """
import sys
from pytest_potmodels.artifacts import state_checksum
from pytest_potmodels.mocks import build_mock
print(state_checksum(build_mock(sys.argv[1], seed=7).model.state_dict()))
print(sorted({"torchvision", "transformers", "tokenizers"} & set(sys.modules)))
"""


def _checksum(kind: str, seed: int) -> str:
    return state_checksum(build_mock(kind, seed=seed).model.state_dict())  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_another_process_builds_the_same_bits_without_torchvision_or_transformers(
    kind: str,
) -> None:
    command = [sys.executable, "-c", _IN_A_NEW_PROCESS, kind]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert printed.splitlines() == [_checksum(kind, 7), "[]"]


@pytest.mark.parametrize("kind", KINDS)
def test_another_seed_gives_other_weights(kind: str) -> None:
    assert _checksum(kind, 0) == _checksum(kind, 0)
    assert _checksum(kind, 0) != _checksum(kind, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_building_leaves_the_global_random_state_alone(kind: str) -> None:
    before = torch.get_rng_state()
    _checksum(kind, 0)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(("kind", "megabytes"), [("vision", 1.0), ("language", 1.7)])
def test_the_size_is_the_stated_one(kind: str, megabytes: float) -> None:
    model = build_mock(kind).model  # type: ignore[arg-type]
    size = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    assert round(size / _MEGABYTE, 1) == megabytes


@pytest.mark.parametrize("kind", KINDS)
def test_a_mock_says_what_it_is_and_is_in_evaluation_mode(kind: str) -> None:
    model = build_mock(kind).model  # type: ignore[arg-type]
    assert "Mock" in repr(model)
    assert "without pretrained weights" in repr(model)
    assert not model.training


def test_parts_belong_to_their_kind() -> None:
    vision, language = build_mock("vision"), build_mock("language")
    assert vision.tokenizer is None
    assert vision.transforms is not None
    assert len(vision.categories) == vision.config["num_classes"] == 10
    assert language.tokenizer is not None
    assert language.transforms is None
    assert language.config["hidden_size"] == 208
