"""Folders with small LUT networks, random ones, written as their owner would write them."""

from pathlib import Path

import torch
from lut_networks import config, samples

from pytest_potmodels.lut import build_model, harden


def write_network(
    folder: Path, name: str = "tiny", *, with_weights: bool = True, with_bits: bool = True
) -> Path:
    """Put `feedforward/NAME`, for digits, into a folder; where its files lie."""
    said = config(input_size=64, node_input_dim=4, layer_widths=[40, 20], num_classes=10)
    home = folder / "feedforward"
    home.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        model = build_model(said, load_weights=False)
        model.fit_encoder(samples(50, 64))
    if with_weights:
        model.save_weights(home / f"{name}.safetensors")
    model.save_config(home / f"{name}.yaml")
    if with_bits:
        harden(model).save(home / f"{name}.hard.safetensors")
    return home
