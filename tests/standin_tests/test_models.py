"""The models made here are real: the stock libraries load them from the stand-in."""

import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from standin import StandIn, models

LOAD = """
import sys
from standin.models import declare_torchvision_operators
declare_torchvision_operators()
from transformers import AutoModel, AutoTokenizer
for name in sys.argv[1:]:
    model, tokenizer = AutoModel.from_pretrained(name), AutoTokenizer.from_pretrained(name)
    encoded = tokenizer("Hello cats", return_tensors="pt")
    print(encoded["input_ids"].tolist()[0], tuple(model(**encoded).last_hidden_state.shape))
"""


@pytest.mark.slow
def test_transformers_loads_each_form_of_a_tiny_bert(site: StandIn, tmp_path: Path) -> None:
    forms = get_args(models.Form)
    names = [f"a/{form}" for form in forms]
    for name, form in zip(names, forms, strict=True):
        site.add_repo(name, {**models.tiny_bert(form), **models.DECOYS})
    here = str(Path(__file__).parents[1])
    environ = {**os.environ, **site.environ(), "HF_HOME": str(tmp_path), "PYTHONPATH": here}
    command = [sys.executable, "-c", LOAD, *names]
    child = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    # [CLS] hello cats [SEP]
    assert child.stdout.splitlines() == ["[2, 14, 7, 3] (1, 4, 32)"] * 4, child.stderr


def test_a_tiny_bert_is_the_same_each_time_and_another_with_another_seed() -> None:
    assert models.tiny_bert() == models.tiny_bert()
    assert models.tiny_bert()["model.safetensors"] != models.tiny_bert(seed=1)["model.safetensors"]


def test_a_padded_bert_takes_its_time_on_the_wire() -> None:
    assert len(models.padded_bert()["model.safetensors"]) > 20_000_000


def test_torchvision_weights_carry_their_hash_and_fit_their_architecture() -> None:
    name, data = models.torchvision_weights("squeezenet1_1")
    assert name == f"squeezenet1_1-{hashlib.sha256(data).hexdigest()[:8]}.pth"
    import torch  # noqa: PLC0415
    import torchvision  # noqa: PLC0415

    model = torchvision.models.get_model("squeezenet1_1", weights=None)
    model.load_state_dict(torch.load(io.BytesIO(data), weights_only=True))
