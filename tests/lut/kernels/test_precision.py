"""Autocast asks for fewer digits; LUT networks compute with all of them, forward and backward."""

import pytest
import torch
from lut_networks import fitted, samples

from pytest_potmodels.lut import harden

NODES = ["probabilistic", "dwn", "linear_lut", "warp"]
WANTED = {"seed": 0, "regularizers": {"spectral": {"weight": 0.1}, "entropy": {"weight": 0.1}}}


def once(node: str, layer: str, *, autocast: bool) -> list[torch.Tensor]:
    """Answers of all modes, the loss beside, and all gradients."""
    model = fitted(node_type=node, layer_type=layer, runtime=WANTED)
    with torch.autocast("cpu", enabled=autocast):
        found = [model(samples(), eval_mode=mode) for mode in ("hard", "sampling", "expectation")]
        loss = model.train()(samples()).square().sum() + model.get_regularization_loss()
    loss.backward()
    return [*found, loss, *(p.grad for p in model.parameters() if p.grad is not None)]


@pytest.mark.parametrize("layer", ["random", "learnable"])
@pytest.mark.parametrize("node", NODES)
def test_under_autocast_every_number_is_the_same(node: str, layer: str) -> None:
    plain, cast = once(node, layer, autocast=False), once(node, layer, autocast=True)
    assert len(plain) == len(cast)
    for one, other in zip(plain, cast, strict=True):
        assert one.dtype == other.dtype == torch.float32
        assert torch.equal(one, other)


@pytest.mark.parametrize("node", ["linear_lut", "warp"])
def test_under_autocast_the_bits_are_the_same(node: str) -> None:
    model = fitted(node_type=node, layer_widths=[600, 600], node_input_dim=6)
    bits = harden(model).digest
    with torch.autocast("cpu"):
        assert harden(model).digest == bits


@pytest.mark.parametrize("layer", ["random", "learnable"])
@pytest.mark.parametrize("node", NODES)
def test_a_backward_under_autocast_too_is_close(node: str, layer: str) -> None:
    # Of the products that torch itself goes back through, autocast takes the digits.
    model = fitted(node_type=node, layer_type=layer).train()
    parameters = list(model.parameters())
    plain = torch.autograd.grad(model(samples()).square().sum(), parameters)
    with torch.autocast("cpu"):
        cast = torch.autograd.grad(model(samples()).square().sum(), parameters)
    for one, other in zip(plain, cast, strict=True):
        assert torch.allclose(one, other, rtol=0.05, atol=0.05 * float(one.abs().max()))
