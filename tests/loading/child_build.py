"""Builds a model as a worker of a test session does, and trains its copy.

Usage: python child_build.py ORDER SEED; ORDER is a JSON object: the model's `folder`, `scratch`.
"""

import json
import sys
from pathlib import Path

import torch
from torch import nn

from pytest_potmodels.artifacts import StoredFile, StoredModel
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.loading.originals import Originals
from pytest_potmodels.store.derived import DerivedStore
from pytest_potmodels.store.layout import Layout


def build(_folder: Path) -> nn.Module:
    torch.manual_seed(int(sys.argv[2]))
    return nn.Sequential(nn.Linear(20, 20), nn.BatchNorm1d(20))


order = json.loads(sys.argv[1])
folder = Path(order["folder"])
files = (StoredFile("size", 1, "0" * 64),)
stored = StoredModel(ModelId("file", str(folder)), folder, "language", "transformers", files)
derived = DerivedStore(Layout.at(folder / "cache"))
originals = Originals(derived, budget=10**9, timeout=30, collector="keep")
made = originals.build(stored, build, Path(order["scratch"]), device="cpu")
assert made.not_mapped == "", made.not_mapped
nn.init.zeros_(made.model[0].weight)
