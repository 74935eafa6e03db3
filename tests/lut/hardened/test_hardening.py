"""Torch networks in deterministic mode, their hardened form, its ONNX file: the same bits."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut import ModelConfig, SimpleFeedForward, harden, load_heldout
from pytest_potmodels.lut.encoders.thermometers import Thermometer
from pytest_potmodels.lut.hardened import HardenedNetwork
from pytest_potmodels.lut.hardened.onnx_file import write_onnx
from pytest_potmodels.lut.layers import Layer
from pytest_potmodels.lut.nodes.probabilistic import ProbabilisticNode
from pytest_potmodels.lut.running import Pass

PIXELS = 64
#: n, widths, classes, bits, feature_wise, node, layer, encoder.
NETWORKS = [
    (1, [20], 10, 1, True, "probabilistic", "random", "thermometer"),
    (2, [30, 20], 10, 3, False, "dwn", "random", "gaussian"),
    (3, [64, 40, 9], 3, 2, True, "linear_lut", "arange", "distributive"),
    (4, [50, 14], 7, 4, True, "probabilistic", "learnable", "thermometer"),
    (5, [33, 24], 2, 2, False, "probabilistic", "random", "distributive"),
    (6, [256, 200], 10, 4, True, "dwn", "random", "thermometer"),
    (7, [40, 30], 10, 3, True, "probabilistic", "random", "gaussian"),
    (8, [30, 25, 20], 5, 2, False, "linear_lut", "learnable", "thermometer"),
]


def config(case: tuple[Any, ...], **more: Any) -> ModelConfig:
    inputs, widths, classes, bits, feature_wise, node, layer, encoder = case
    return ModelConfig(
        model_type="feedforward",
        layer_type=layer,
        node_type=node,
        encoder_config={"name": encoder, "num_bits": bits, "feature_wise": feature_wise},
        node_input_dim=inputs,
        layer_widths=widths,
        num_classes=classes,
        runtime={"seed": inputs, "eval_mode": "deterministic", "init_fn": "normal"},
        **more,
    )


@pytest.fixture(scope="module")
def images() -> Any:
    return load_heldout("digits").images


@pytest.fixture(scope="module")
def inputs(images: Any) -> Any:
    """The held-out images, and 10,000 random inputs of which many lie on thresholds."""
    draw = np.random.default_rng(0)
    whole = draw.integers(-2, 19, (5000, PIXELS)).astype(np.float32)
    between = draw.normal(6, 8, (5000, PIXELS)).astype(np.float32)
    return np.concatenate([images, whole, between])


@pytest.fixture(scope="module", params=NETWORKS, ids=lambda case: f"n{case[0]}")
def model(request: pytest.FixtureRequest, images: Any) -> SimpleFeedForward:
    model = SimpleFeedForward(config(request.param))
    model.fit_encoder(torch.from_numpy(images.copy()))
    return model.eval()


def of_torch(model: Any, x: Any) -> Any:
    with torch.no_grad():
        return model(torch.from_numpy(x)).numpy()


def of_onnx(network: HardenedNetwork, path: Path, x: Any) -> list[Any]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    file = write_onnx(network, path, images=x[:360]).path
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    answers = session.run(["logits", "counts"], {"x": x})
    return list(answers)


def test_torch_the_hardened_network_its_file_and_onnx_agree_bit_for_bit(
    model: SimpleFeedForward, inputs: Any, tmp_path: Path
) -> None:
    network = harden(model)
    expected = of_torch(model, inputs)
    assert np.array_equal(network.logits(inputs), expected)
    few = np.concatenate([network.logits(inputs[at : at + 3]) for at in range(0, 300, 3)])
    assert np.array_equal(few, expected[:300])
    logits, counts = of_onnx(network, tmp_path / "a.onnx", inputs)
    assert np.array_equal(logits, expected)
    assert np.array_equal(counts, network(inputs))
    assert np.array_equal(network.predict(inputs), expected.argmax(1))
    assert len(np.unique(expected)) > 1


@pytest.fixture
def small(images: Any) -> SimpleFeedForward:
    model = SimpleFeedForward(config(NETWORKS[3], pretrained_name="mine"))
    model.fit_encoder(torch.from_numpy(images.copy()))
    return model


def test_connections_that_are_still_learned_are_those_of_the_highest_scores(
    small: SimpleFeedForward, inputs: Any
) -> None:
    with torch.no_grad():
        for name, scores in small.named_parameters():
            if name.endswith("connections"):
                scores.uniform_()
    found = harden(small)
    small.freeze()
    assert harden(small).digest == found.digest
    small.eval()
    assert np.array_equal(found.logits(inputs[:500]), of_torch(small, inputs[:500]))


def test_hardening_changes_nothing_of_the_network(small: SimpleFeedForward) -> None:
    before = {name: value.clone() for name, value in small.state_dict().items()}
    network = harden(small)
    assert small.training
    assert all(torch.equal(value, before[name]) for name, value in small.state_dict().items())
    with torch.no_grad():
        for parameter in small.parameters():
            parameter.neg_()
    assert harden(small).digest != network.digest


def test_the_hardened_network_has_the_name_and_the_tau_of_the_network(
    small: SimpleFeedForward, inputs: Any
) -> None:
    assert harden(small).name == "mine"
    small.apply_runtime_overrides({"output_tau": 3.0})
    network = harden(small.eval())
    assert network.output_tau == 3.0
    assert np.array_equal(network.logits(inputs[:99]), of_torch(small, inputs[:99]))


def test_noise_is_no_part_of_the_hardened_network(small: SimpleFeedForward) -> None:
    plain = harden(small)
    small.apply_runtime_overrides({"flip_probability": 0.3, "temperature": 0.1, "dropout": 0.2})
    assert harden(small).digest == plain.digest


def test_a_network_without_thresholds_is_refused() -> None:
    with pytest.raises(LUTError, match="encoder is not fitted"):
        harden(SimpleFeedForward(config(NETWORKS[0])))
    with pytest.raises(LUTError, match="encoder is not fitted"):
        harden(SimpleFeedForward(config(NETWORKS[0], input_size=PIXELS)))


def test_what_is_no_feedforward_network_is_refused() -> None:
    with pytest.raises(LUTError, match=r"only a feedforward network .* this is Linear"):
        harden(torch.nn.Linear(2, 2))


class Reversed(Thermometer):
    """An encoder of a user's that does not only compare with thresholds."""

    def bits(self, inputs: torch.Tensor) -> torch.Tensor:
        return ~super().bits(inputs)


class Inverting(Layer):
    """A layer of a user's that does not only look up."""

    def connect(self, generator: torch.Generator | None) -> torch.Tensor:
        return torch.zeros(self.node.width, self.node.inputs)

    def forward(self, values: torch.Tensor, run: Pass) -> torch.Tensor:
        return 1 - super().forward(values, run)


def test_what_computes_in_a_way_of_its_own_is_refused_and_still_runs_in_torch(
    small: SimpleFeedForward, inputs: Any
) -> None:
    small.eval()
    plain = of_torch(small, inputs[:300])
    encoder = small.encoder
    assert encoder is not None
    own = Reversed(PIXELS, num_bits=4)
    own.load_state_dict(encoder.state_dict())
    small.encoder = own
    with pytest.raises(LUTError, match="Reversed encodes in a way of its own"):
        harden(small)
    many = of_torch(small, inputs[:300])
    assert np.array_equal(many[:5], of_torch(small, inputs[:5]))
    assert not np.array_equal(many, plain)
    small.encoder = encoder
    small.layers.append(Inverting(14, ProbabilisticNode(14, 4)))
    with pytest.raises(LUTError, match="Inverting runs in a way of its own"):
        harden(small)


def test_inputs_that_want_a_gradient_are_no_obstacle_to_the_bits(
    small: SimpleFeedForward, inputs: Any
) -> None:
    small.eval()
    x = torch.from_numpy(inputs[:300])
    assert torch.equal(small(x.clone().requires_grad_()), small(x))


def test_what_the_torch_network_refuses_the_hardened_one_refuses(
    small: SimpleFeedForward,
) -> None:
    network = harden(small.eval())
    with_nan = np.full((2, PIXELS), np.nan, np.float32)
    for bad in (np.zeros((2, 63), np.float32), np.zeros(PIXELS, np.float32), with_nan):
        for call in (network, lambda x: small(torch.from_numpy(x))):
            with pytest.raises(LUTError):
                call(bad)
    for good in (np.zeros((0, PIXELS), np.float32), np.ones((2, 8, 8), np.int64)):
        assert np.array_equal(network.logits(good), of_torch(small, good))
