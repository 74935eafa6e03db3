"""Learned connections: the highest score forward, all backward, the mapping alone in files."""

import pytest
import torch

from pytest_potmodels.lut.layers.learnable import LearnableLayer
from pytest_potmodels.lut.nodes.probabilistic import ProbabilisticNode
from pytest_potmodels.lut.running import Pass

FEATURES, WIDTH, INPUTS = 6, 5, 3
TRAINING = Pass(training=True)


def made(seed: int = 0) -> LearnableLayer:
    source = torch.Generator().manual_seed(seed)
    node = ProbabilisticNode(WIDTH, INPUTS, generator=source)
    return LearnableLayer(FEATURES, node, generator=source)


def numbers(batch: int = 4) -> torch.Tensor:
    return torch.rand(FEATURES, batch, generator=torch.Generator().manual_seed(1))


def scores_of(layer: LearnableLayer) -> torch.Tensor:
    assert layer.connections is not None
    return layer.connections


def test_each_input_looks_at_the_feature_with_the_highest_score() -> None:
    layer = made()
    scores = scores_of(layer).detach().T.view(WIDTH, INPUTS, FEATURES)
    assert layer.mapping.tolist() == scores.argmax(2).tolist()
    with torch.no_grad():
        scores_of(layer)[2] = 9
    layer(numbers(), TRAINING)
    assert (layer.mapping == 2).all()


@pytest.mark.parametrize("mode", ["soft", "hard", "sample"])
def test_every_kind_of_pass_follows_the_scores(mode: str) -> None:
    layer = made()
    with torch.no_grad():
        scores_of(layer)[4] = 9
    values = numbers() if mode == "soft" else (numbers() > 0.5).to(torch.uint8)
    with torch.no_grad():
        layer(values, Pass(mode=mode))  # type: ignore[arg-type]
    assert (layer.mapping == 4).all()


def test_the_gradients_are_those_of_the_definition() -> None:
    layer, values = made(), numbers().requires_grad_()
    weight = torch.linspace(-1, 1, WIDTH * INPUTS * 4).view(WIDTH, INPUTS, 4)
    (layer.gathered(values) * weight).sum().backward()  # type: ignore[no-untyped-call]
    grad = weight.view(WIDTH * INPUTS, 4).double()
    scores = scores_of(layer).detach().double()
    for_scores = torch.zeros(FEATURES, WIDTH * INPUTS, dtype=torch.float64)
    for_values = torch.zeros(FEATURES, 4, dtype=torch.float64)
    for feature in range(FEATURES):
        for place in range(WIDTH * INPUTS):
            nearness = torch.softmax(scores[:, place] / 0.001, dim=0)[feature]
            for sample in range(4):
                sign = 2 * values[feature, sample].item() - 1
                for_scores[feature, place] += sign * grad[place, sample]
                for_values[feature, sample] += nearness * grad[place, sample]
    found = scores_of(layer).grad
    assert found is not None
    assert values.grad is not None
    torch.testing.assert_close(found.double(), for_scores, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(values.grad.double(), for_values, rtol=1e-4, atol=1e-4)


def test_freezing_lets_the_scores_go_and_changes_no_output() -> None:
    layer = made()
    before = layer(numbers(), Pass())
    layer.freeze()
    assert "connections" not in dict(layer.named_parameters())
    assert set(layer.state_dict()) == {"mapping", "node.logits"}
    assert torch.equal(layer(numbers(), Pass()), before)
    layer.freeze()


def test_the_state_holds_the_mapping_of_the_latest_scores() -> None:
    layer = made()
    with torch.no_grad():
        scores_of(layer)[1] = 9
    assert (layer.state_dict()["mapping"] == 1).all()


def test_a_checkpoint_goes_on_learning_and_weights_alone_do_not() -> None:
    layer, other = made(), made(seed=1)
    other.load_state_dict(layer.state_dict())
    assert torch.equal(scores_of(other), scores_of(layer))
    weights = {name: v for name, v in layer.state_dict().items() if name != "connections"}
    other.load_state_dict(weights)
    assert other.connections is None
    assert torch.equal(other(numbers(), Pass()), layer(numbers(), Pass()))
