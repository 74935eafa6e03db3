"""Connections that are drawn or counted: even, repeatable, and part of the weights."""

import logging
from collections import Counter

import pytest
import torch

from pytest_potmodels.lut.layers.fixed import ArangeLayer, RandomLayer
from pytest_potmodels.lut.nodes.probabilistic import ProbabilisticNode


def drawn(features: int, width: int, inputs: int, seed: int = 0) -> torch.Tensor:
    source = torch.Generator().manual_seed(seed)
    return RandomLayer(features, ProbabilisticNode(width, inputs), generator=source).mapping


@pytest.mark.parametrize(("features", "width", "inputs"), [(8, 16, 4), (10, 9, 6), (256, 200, 6)])
def test_every_feature_is_used_as_often_as_any_other(
    features: int, width: int, inputs: int
) -> None:
    mapping = drawn(features, width, inputs)
    assert mapping.shape == (width, inputs)
    assert mapping.dtype == torch.int32
    uses = Counter(mapping.flatten().tolist())
    assert set(uses) == set(range(features))
    assert max(uses.values()) - min(uses.values()) <= 1


def test_a_seed_draws_the_same_connections_and_another_one_others() -> None:
    assert torch.equal(drawn(20, 10, 4), drawn(20, 10, 4))
    assert not torch.equal(drawn(20, 10, 4), drawn(20, 10, 4, seed=1))


def test_features_that_nobody_looks_at_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        drawn(20, 3, 4)
    assert "3 LUTs of 4 inputs see 12 of 20 features only" in caplog.text
    caplog.clear()
    drawn(12, 3, 4)
    assert not caplog.text


def test_arange_counts_through_the_features_and_starts_again() -> None:
    mapping = ArangeLayer(5, ProbabilisticNode(4, 3)).mapping
    assert mapping.tolist() == [[0, 1, 2], [3, 4, 0], [1, 2, 3], [4, 0, 1]]


def test_the_mapping_is_in_the_state_and_decides_the_outputs() -> None:
    one, other = (
        RandomLayer(6, ProbabilisticNode(5, 3), generator=torch.Generator().manual_seed(seed))
        for seed in (0, 1)
    )
    assert "mapping" in one.state_dict()
    other.load_state_dict(one.state_dict())
    assert torch.equal(other.mapping, one.mapping)
