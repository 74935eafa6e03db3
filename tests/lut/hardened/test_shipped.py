"""The networks that this package brings: torch, hardened and ONNX, bit for bit on real images."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from pytest_potmodels.lut import (
    get_pretrained_model_info,
    harden,
    load_hardened,
    load_heldout,
    load_pretrained,
)
from pytest_potmodels.lut.hardened.onnx_file import write_onnx

SHIPPED = ("digits_large", "digits_small", "digits_tiny")


@pytest.fixture(scope="module")
def inputs() -> Any:
    """The held-out images, and 10,000 random inputs of which half are pixel values."""
    draw = np.random.default_rng(0)
    images = load_heldout("digits").images
    whole = draw.integers(-1, 18, (5000, images.shape[1])).astype(np.float32)
    between = draw.uniform(-2, 19, (5000, images.shape[1])).astype(np.float32)
    return np.concatenate([images, whole, between])


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_network_gives_the_same_bits_in_torch_hardened_and_in_onnx(
    name: str, inputs: Any, tmp_path: Path
) -> None:
    model, network = load_pretrained(name), load_hardened(name)
    assert harden(model).digest == network.digest
    with torch.no_grad():
        # In small batches too, which torch gathers itself.
        expected = model(torch.from_numpy(inputs), eval_mode="deterministic").numpy()
        parts = torch.from_numpy(inputs[:400]).chunk(4)
        gathered = [model(part, eval_mode="deterministic").numpy() for part in parts]
    assert np.array_equal(np.concatenate(gathered), expected[:400])
    assert np.array_equal(network.logits(inputs), expected)
    written = write_onnx(network, tmp_path / "a.onnx", images=inputs[:360])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        written.path, options, providers=["CPUExecutionProvider"]
    )
    for at in range(0, len(inputs), 1000):
        logits, counts = session.run(["logits", "counts"], {"x": inputs[at : at + 1000]})
        assert np.array_equal(logits, expected[at : at + 1000])
        assert np.array_equal(counts, network(inputs[at : at + 1000]))


@pytest.mark.parametrize("name", ["digits_small", "digits_tiny"])
def test_the_bits_of_a_small_network_take_less_than_12_kb(name: str) -> None:
    files = get_pretrained_model_info(name)["files"]
    assert files[f"{name}.hard.safetensors"] <= 12_000
