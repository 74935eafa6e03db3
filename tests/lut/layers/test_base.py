"""A layer picks inputs for its LUTs and reads them: smoothly, as bits, or as draws."""

from dataclasses import replace

import pytest
import torch

from pytest_potmodels.lut.gradients import Stabilization
from pytest_potmodels.lut.kernels import multilinear
from pytest_potmodels.lut.layers import base
from pytest_potmodels.lut.layers.fixed import RandomLayer
from pytest_potmodels.lut.nodes.probabilistic import ProbabilisticNode
from pytest_potmodels.lut.running import Pass

FEATURES, WIDTH, INPUTS = 6, 5, 3


@pytest.fixture
def layer() -> RandomLayer:
    source = torch.Generator().manual_seed(0)
    return RandomLayer(
        FEATURES, ProbabilisticNode(WIDTH, INPUTS, generator=source), generator=source
    )


def numbers(batch: int = 4) -> torch.Tensor:
    return torch.rand(FEATURES, batch, generator=torch.Generator().manual_seed(1))


def bits(batch: int = 4) -> torch.Tensor:
    return (numbers(batch) > 0.5).to(torch.uint8)


def test_each_input_of_each_lut_is_the_feature_it_is_connected_to(layer: RandomLayer) -> None:
    values = numbers()
    picked = layer.gathered(values)
    for lut in range(WIDTH):
        for place in range(INPUTS):
            feature = int(layer.mapping[lut, place])
            assert torch.equal(picked[lut, place], values[feature])


def test_a_smooth_pass_is_the_node_on_what_was_picked(layer: RandomLayer) -> None:
    expected = layer.node.soft(layer.gathered(numbers()), 0.5)
    torch.testing.assert_close(layer(numbers(), Pass(temperature=0.5)), expected)


def test_a_pass_on_bits_looks_up_the_table(layer: RandomLayer) -> None:
    found = layer(bits(), Pass(mode="hard"))
    assert found.dtype == torch.uint8
    table = layer.node.table()
    for lut in range(WIDTH):
        for column in range(4):
            address = sum(
                int(bits()[int(feature), column]) << place
                for place, feature in enumerate(layer.mapping[lut])
            )
            assert found[lut, column] == int(table[lut, address])


def test_draws_are_as_frequent_as_the_entries_are_likely(layer: RandomLayer) -> None:
    many = bits(1).expand(FEATURES, 20_000).contiguous()
    run = Pass(mode="sample", temperature=0.5, generator=torch.Generator().manual_seed(0))
    shares = layer(many, run).float().mean(1)
    expected = multilinear(layer.node.probabilities(0.5), layer.gathered(bits(1).float()))
    torch.testing.assert_close(shares, expected.flatten(), rtol=0, atol=0.02)


@pytest.mark.parametrize("mode", ["soft", "hard"])
def test_a_batch_in_parts_gives_what_its_samples_give(
    layer: RandomLayer, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "CHUNK", 3)
    values = numbers(11) if mode == "soft" else bits(11)
    run = Pass(mode=mode)  # type: ignore[arg-type]
    alone = torch.cat([layer(values[:, [i]], run) for i in range(11)], dim=1)
    torch.testing.assert_close(layer(values, run), alone)


def test_dropout_puts_one_half_in_training_alone(layer: RandomLayer) -> None:
    run = Pass(dropout=0.999999, generator=torch.Generator().manual_seed(0))
    assert torch.equal(layer(numbers(), run), layer(numbers(), Pass()))
    halves = layer(torch.full((FEATURES, 4), 0.5), Pass())
    torch.testing.assert_close(layer(numbers(), replace(run, training=True)), halves)


def test_flips_everywhere_turn_the_inputs_round(layer: RandomLayer) -> None:
    run = Pass(mode="hard", flip=1.0, flip_everywhere=True)
    assert torch.equal(layer(bits(), run), layer(1 - bits(), Pass(mode="hard")))
    elsewhere = replace(run, flip_everywhere=False)
    assert torch.equal(layer(bits(), elsewhere), layer(bits(), Pass(mode="hard")))


def test_gradients_are_stabilised_in_training_alone(layer: RandomLayer) -> None:
    sizes = []
    for training in (False, True):
        values = numbers().requires_grad_()
        run = Pass(training=training, stabilization=Stabilization("layerwise", target=100.0))
        layer(values, run).sum().backward()
        assert values.grad is not None
        sizes.append(values.grad.abs().max().item())
    assert sizes[1] == pytest.approx(100 * sizes[0], rel=1e-3)


def test_what_goes_in_stays_as_it_is(layer: RandomLayer) -> None:
    values, run = numbers(), Pass(flip=0.5, flip_everywhere=True, dropout=0.5, training=True)
    before = values.clone()
    layer(values, run)
    assert torch.equal(values, before)
