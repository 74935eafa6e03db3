"""A clean desk: no CI, no settings from outside, a cache of its own, and no way out."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from pytest_potmodels.artifacts import state_checksum
from pytest_potmodels.loading import torchvision_guard
from pytest_potmodels.settings import ENDPOINT_VARIABLE, OFFLINE_VARIABLES
from pytest_potmodels.settings.environment import CI_VARIABLES

#: Nothing listens there, so a model that is not cached cannot be had.
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ours = [name for name in os.environ if name.startswith("POT_")]
    for name in (*ours, *CI_VARIABLES, *OFFLINE_VARIABLES, ENDPOINT_VARIABLE, "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("POT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_ENDPOINT", NOWHERE)
    monkeypatch.setenv("POT_MIRRORS", f"https://download.pytorch.org={NOWHERE}")


@pytest.fixture(autouse=True, scope="session")
def frameworks() -> None:
    """Import torch for good: an in-process run forgets its imports, and torch loads only once."""
    torchvision_guard.import_torchvision()
    transformers = torchvision_guard.import_transformers()
    assert all((transformers.BertModel, transformers.BertTokenizerFast))


#: Models of three sorts; the last has tied weights.
MODELS = ("resnet", "bert", "gpt")
ONE_THREAD = "import torch\ntorch.set_num_threads(1)\n"


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory, frameworks: None) -> Path:
    """A ResNet, a BERT and a GPT-2 with tied weights, all random; and a cache for what is made."""
    folder = tmp_path_factory.mktemp("models")
    transformers = torchvision_guard.import_transformers()
    models = torchvision_guard.import_torchvision().models
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        resnet = models.resnet18(weights=None)
        bert = transformers.BertModel(_small(transformers.BertConfig, "hidden_size"))
        gpt = transformers.GPT2LMHeadModel(_small(transformers.GPT2Config, "n_embd"))
    torch.save(resnet.state_dict(), folder / "resnet18.pth")
    bert.save_pretrained(folder / "bert")
    gpt.save_pretrained(folder / "gpt")
    sums = {
        name: state_checksum(model.state_dict())
        for name, model in zip(MODELS, (resnet, bert, gpt), strict=True)
    }
    (folder / "sums.json").write_text(json.dumps(sums), encoding="utf-8")
    return folder


def _small(config: Any, width: str) -> Any:
    layers = "num_hidden_layers" if width == "hidden_size" else "n_layer"
    heads = "num_attention_heads" if width == "hidden_size" else "n_head"
    ends = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
    return config(vocab_size=300, **{width: 32, layers: 2, heads: 2}, **ends)


Project = Callable[..., pytest.RunResult]


@pytest.fixture
def project(pytester: pytest.Pytester, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Runs a test file in processes of their own, where the models have short names."""
    monkeypatch.setenv("POT_CACHE_DIR", str(shelf / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    monkeypatch.setenv("SUMS", (shelf / "sums.json").read_text(encoding="utf-8"))
    pytester.makepyprojecttoml(
        f"""
        [tool.potmodels.models.resnet]
        source = "file"
        name = '{shelf / "resnet18.pth"}'
        architecture = "resnet18"
        kind = "vision"

        [tool.potmodels.models.bert]
        source = "file"
        name = '{shelf / "bert"}'

        [tool.potmodels.models.gpt]
        source = "file"
        name = '{shelf / "gpt"}'
        task = "text-generation"
        """
    )

    def run(tests: str, *options: str, conftest: str = "") -> pytest.RunResult:
        pytester.makeconftest(ONE_THREAD + conftest)
        pytester.makepyfile(test_models=tests)
        return pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)

    return run
