"""Parts of the user's own: registered by name, built, trained, regularized, hardened."""

from typing import Any

import pytest
import torch
from lut_networks import config, samples
from torch import nn

from pytest_potmodels.lut import REGISTRY, SimpleFeedForward, harden
from pytest_potmodels.lut.encoders import Encoder
from pytest_potmodels.lut.initializers import Fill
from pytest_potmodels.lut.kernels import multilinear
from pytest_potmodels.lut.layers import Layer
from pytest_potmodels.lut.nodes import Initializer, Node, Reader


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts that are gone after the test."""
    for kind in ("node", "layer", "encoder", "regularizer", "initializer", "model"):
        monkeypatch.setitem(REGISTRY._added, kind, {})
    REGISTRY.register_node("sine")(Sine)
    REGISTRY.register_layer("neighbours")(Neighbours)
    REGISTRY.register_encoder("binary_point")(BinaryPoint)
    REGISTRY.register_regularizer("mean")(mean)
    REGISTRY.register_initializer("ramp")(ramp)


class Sine(Node):
    """Probabilities (1 + sin L) / 2."""

    angles: nn.Parameter

    def initialize(
        self, initializer: Initializer | None, generator: torch.Generator | None
    ) -> None:
        assert initializer is not None
        fill = Fill((self.width, 2**self.inputs), self.inputs, generator)
        self.angles = nn.Parameter(initializer(fill))

    def reader(self, temperature: float) -> Reader:
        tables = self.probabilities(temperature)
        return lambda inputs: multilinear(tables, inputs)

    def scores(self) -> torch.Tensor:
        return torch.sin(self.angles)

    def probabilities(self, temperature: float) -> torch.Tensor:
        return (1 + self.scores()) / 2


class Neighbours(Layer):
    """Each LUT looks at the features from its own number on."""

    def connect(self, generator: torch.Generator | None) -> torch.Tensor:
        starts = torch.arange(self.node.width)[:, None]
        return (starts + torch.arange(self.node.inputs)) % self.features


class BinaryPoint(Encoder):
    """Thresholds at 8, 4, 2, ..."""

    def thresholds_of(self, columns: torch.Tensor) -> torch.Tensor:
        return (8 / 2 ** torch.arange(self.num_bits)).expand(columns.shape[1], self.num_bits)


def mean(probabilities: torch.Tensor, *, of: float) -> torch.Tensor:
    """How far the mean is from a number."""
    found: torch.Tensor = (probabilities.mean() - of).square()
    return found


def ramp(fill: Fill, *, end: float) -> torch.Tensor:
    """Values from -end to end."""
    return torch.linspace(-end, end, fill.fan_in).expand(fill.shape).clone()


def test_a_network_of_them_is_built_trained_and_hardened() -> None:
    runtime: dict[str, Any] = {
        "init_fn": "ramp",
        "init_params": {"end": 1.0},
        "regularizers": {"mean": {"weight": 1.0, "of": 0.25}},
    }
    model = SimpleFeedForward(
        config(
            node_type="sine",
            layer_type="neighbours",
            encoder_config={"name": "binary_point", "num_bits": 2},
            runtime=runtime,
        )
    )
    model.fit_encoder(samples())
    assert model.get_buffer("encoder.thresholds")[0].tolist() == [8, 4]
    assert model.get_buffer("layers.0.mapping")[2].tolist() == [2, 3, 4]
    angles = model.get_parameter("layers.0.node.angles")
    assert torch.equal(angles[0], torch.linspace(-1, 1, 8))
    loss = model.get_regularization_loss()
    assert loss.item() == pytest.approx(2 * 0.25**2)
    before = [parameter.clone() for parameter in model.parameters()]
    optimiser = torch.optim.Adam(model.parameters())
    (model(samples()).square().sum() + loss).backward()
    optimiser.step()
    assert not any(map(torch.equal, model.parameters(), before))
    x = samples(200)
    few = torch.cat([model(part, eval_mode="hard") for part in torch.split(x, 20)])
    assert torch.equal(model(x, eval_mode="hard"), few)
    assert (harden(model).logits(x.numpy()) == few.numpy()).all()
