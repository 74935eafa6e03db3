"""Loading makes no connection and looks up no host, whatever the environment says."""

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.identifiers import ModelId

SCRIPT = Path(__file__).with_name("closed_network.py")
_CLOSING = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "DISABLE_SAFETENSORS_CONVERSION")


def _run(stored: list[StoredModel], folder: Path) -> list[str]:
    file = folder / "stored.pickle"
    file.write_bytes(pickle.dumps(stored))
    environ = {key: value for key, value in os.environ.items() if key not in _CLOSING}
    environ |= {"HF_HOME": str(folder / "hf"), "TORCH_HOME": str(folder / "torch")}
    command = [sys.executable, str(SCRIPT), str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environ)
    return done.stdout.splitlines()


def test_no_format_touches_the_network(
    minilm: StoredModel, tiny_bert: Path, tiny_vit: Path, models: Any, store: Any, tmp_path: Path
) -> None:
    # Torch files alone: what transformers would have converted by a server, in a thread.
    (tiny_bert / "model.safetensors").unlink()
    network = models.mnasnet0_5()
    bert = {"pooler.dense.bias": torch.zeros(16)}
    torch.save(bert, tiny_bert / "pytorch_model.bin")
    weights = tmp_path / "weights"
    weights.mkdir()
    torch.save(network.state_dict(), weights / "mnasnet.pth")
    own = store(weights, kind="vision", format="torchvision", architecture="mnasnet0_5")
    published = replace(own, revision="IMAGENET1K_V1")
    mock = StoredModel(ModelId("mock", "language"), Path(), "language", "mock", ())
    every = [minilm, store(tiny_bert), store(tiny_vit, kind="vision"), own, published, mock]
    assert _run(every, tmp_path) == [
        "BertModel",
        "BertModel",
        "ViTModel",
        "MNASNet",
        "MNASNet",
        "MockLanguageModel",
        "attempts: []",
    ]


def test_the_watch_sees_a_connection() -> None:
    code = (
        "import runpy, sys, urllib.request\n"
        f"script = runpy.run_path({str(SCRIPT)!r})\n"
        "sys.addaudithook(script['refuse'])\n"
        "try:\n    urllib.request.urlopen('http://127.0.0.1:9')\n"
        "except OSError:\n    print(script['ATTEMPTS'])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "socket." in done.stdout
