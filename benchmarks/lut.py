"""LUT networks in training and in expectation, beside the formulations they come from; one core.

A training step is forward, backward and Adam, with 128 samples. Stock is the dense product: for
each LUT, sample and table entry the product over all inputs. The soft forward stands beside a
torch gather of the hard tables, which computes far less. Processor time; the ways are compared
before they are measured.
"""

import os
from collections.abc import Callable
from functools import partial

os.environ["OMP_NUM_THREADS"] = "1"

import torch
from figures import Figure, of_pairs, table
from lut_hard import Stock, milliseconds

from pytest_potmodels.lut import ModelConfig, SimpleFeedForward, harden
from pytest_potmodels.lut.kernels import corners
from pytest_potmodels.lut.layers import Layer

FEATURES, LEVELS, CLASSES, INPUTS = 64, 4, 10, 6
SMALL, LARGE = (256, 200), (1000, 1000)
BATCH, MANY = 128, 4096
ROUNDS = 5
STEP_GOAL = 0.035
#: Samples per second at least 0.7 of the gather's.
SOFT_GOAL = 1 / 0.7


def figures() -> list[Figure]:
    """The training step, and the soft forward."""
    torch.set_num_threads(1)
    return [step(SMALL), soft_forward(LARGE)]


def step(widths: tuple[int, ...]) -> Figure:
    """One step of training, in turns."""
    model, x = built(widths).train(), numbers(BATCH)
    labels = torch.arange(BATCH) % CLASSES
    dense = Dense(model)
    bits = model.encode(x)
    check(dense(bits), model(x))
    ways = [
        stepping(dense, partial(dense, bits), labels),
        stepping(model, partial(model, x), labels),
    ]
    pairs = [[milliseconds(way) for way in ways] for _ in range(ROUNDS)]
    name = f"LUT training step {list(widths)}, {BATCH} samples"
    return of_pairs(name, pairs, "ms", STEP_GOAL, beside="dense product")


def soft_forward(widths: tuple[int, ...]) -> Figure:
    """Many samples in expectation, in turns with a gather of the hard tables."""
    model, x = built(widths), numbers(MANY)
    stock = Stock(harden(model))
    with torch.inference_mode():
        check(stock.counts(x, BATCH) / model.group_sum.tau, model(x, eval_mode="deterministic"))
        gather = partial(stock.fastest, partial(stock.counts, x))
        pairs = [[gather(), milliseconds(partial(model, x))] for _ in range(ROUNDS)]
    name = f"soft LUTs {list(widths)}, {MANY} samples"
    return of_pairs(name, pairs, "ms", SOFT_GOAL, beside="torch gather of hard tables")


def built(widths: tuple[int, ...]) -> SimpleFeedForward:
    """A network in eval mode."""
    config = ModelConfig(
        model_type="feedforward",
        layer_type="random",
        node_type="probabilistic",
        encoder_config={"name": "thermometer", "num_bits": LEVELS},
        node_input_dim=INPUTS,
        layer_widths=list(widths),
        num_classes=CLASSES,
        runtime={"seed": 0},
    )
    model = SimpleFeedForward(config)
    model.fit_encoder(numbers(500))
    return model.eval()


def numbers(count: int) -> torch.Tensor:
    """Samples."""
    return torch.rand(count, FEATURES, generator=torch.Generator().manual_seed(0)) * 16


class Dense(torch.nn.Module):
    """The network as a product over all inputs for each entry; batch first."""

    def __init__(self, model: SimpleFeedForward) -> None:
        super().__init__()
        layers = [layer for layer in model.layers if isinstance(layer, Layer)]
        self.mappings = [layer.mapping.long() for layer in layers]
        self.logits = torch.nn.ParameterList(layer.node.scores().detach() for layer in layers)
        self.corners = corners(INPUTS)
        self.tau = model.group_sum.tau

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Bits (N, F b) -> logits (N, C)."""
        for mapping, logits in zip(self.mappings, self.logits, strict=True):
            inputs = values[:, mapping].unsqueeze(2)
            factors = inputs * self.corners + (1 - inputs) * (1 - self.corners)
            values = (factors.prod(3) * torch.sigmoid(logits)).sum(2)
        return values.view(len(values), CLASSES, -1).sum(2) / self.tau


def stepping(
    model: torch.nn.Module, forward: Callable[[], torch.Tensor], labels: torch.Tensor
) -> Callable[[], None]:
    """A step of training with Adam."""
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)

    def take() -> None:
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(forward(), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return take


def check(expected: torch.Tensor, found: torch.Tensor) -> None:
    """Refuse to measure what is not the same computation."""
    if not torch.allclose(expected, found, rtol=1e-4, atol=1e-4):
        raise SystemExit("the two ways differ")


def main() -> None:
    """Measure and print."""
    found = figures()
    print(table(found))
    speed = MANY / found[1].ours
    print(f"{speed:.1f} thousand samples a second in expectation")


if __name__ == "__main__":
    main()
