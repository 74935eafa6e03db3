"""Classes of the user's that compute otherwise: they are no circuits, and nobody pretends."""

import pytest
import torch
from lut_networks import config, fitted, samples

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut import SimpleFeedForward, harden
from pytest_potmodels.lut.layers.fixed import RandomLayer
from pytest_potmodels.lut.running import Pass


class Backwards(SimpleFeedForward):
    """Counts the outputs in another order."""

    def outputs(self, bits: torch.Tensor, run: Pass) -> torch.Tensor:
        return super().outputs(bits, run).flip(0)


class Inverted(SimpleFeedForward):
    """Looks at samples in a way of its own."""

    def forward(self, x: torch.Tensor, *, eval_mode: str | None = None) -> torch.Tensor:
        return super().forward(-x, eval_mode=eval_mode)


class Shifted(RandomLayer):
    """Looks at other features than its mapping says."""

    def gathered(self, values: torch.Tensor) -> torch.Tensor:
        return super().gathered(values.roll(1, 0))


@pytest.mark.parametrize("kind", [Backwards, Inverted])
def test_a_class_that_runs_otherwise_is_no_circuit_whatever_its_configuration_says(
    kind: type[SimpleFeedForward],
) -> None:
    model = kind(config())
    model.fit_encoder(samples())
    with pytest.raises(LUTError, match=f"{kind.__name__} runs in a way of its own"):
        harden(model)


def test_a_layer_that_looks_elsewhere_is_no_circuit() -> None:
    model = fitted()
    model.layers[0] = Shifted(16, model.layers[0].node)  # type: ignore[arg-type]
    with pytest.raises(LUTError, match="Shifted runs in a way of its own"):
        harden(model)
    many = samples(300)
    assert torch.equal(model(many, eval_mode="hard")[:3], model(many[:3], eval_mode="hard"))
