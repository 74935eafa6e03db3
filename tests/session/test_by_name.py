"""`pot.load` and `pot.fetch`: models by name where no test runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from standin import FlippedByte, StandIn
from standin.models import tiny_bert, torchvision_weights

import pytest_potmodels as pot

FETCH = """
import sys
import pytest_potmodels as pot
assert pot.fetch("bert").fresh
print(*sorted({"torch", "transformers", "pytest"} & set(sys.modules)))
"""


@pytest.fixture
def hub(site: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """A hub with a tiny BERT, and an empty cache."""
    for name in os.environ:
        if name.startswith(("POT_", "HF_", "TRANSFORMERS_OFFLINE")):
            monkeypatch.delenv(name)
    for name, value in {**site.environ(), "POT_CACHE_DIR": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    site.add_repo("google-bert/bert-base-uncased", tiny_bert(), aliases=("bert-base-uncased",))
    return site


def test_load_gives_the_real_model_fresh_at_each_call(hub: StandIn) -> None:
    first, second = pot.load("bert"), pot.load("bert")
    assert (first.source, second.source) == ("pretrained", "cached")
    assert first.model is not second.model
    assert first.checksum == second.checksum
    assert hub.log.gets("model.safetensors") == 1


def test_load_takes_what_markers_take(hub: StandIn) -> None:
    model = pot.load("bert", task="fill-mask", dtype="bfloat16", device="cpu")
    assert type(model.model).__name__ == "BertForMaskedLM"
    assert str(model.model.dtype) == "torch.bfloat16"


def test_load_takes_a_url_and_its_network(hub: StandIn) -> None:
    url = hub.add_download("/m.pth", torchvision_weights("squeezenet1_1")[1])
    model = pot.load(url, architecture="squeezenet1_1")
    assert (model.id.source, model.config["architecture"]) == ("url", "squeezenet1_1")
    assert pot.fetch(f"{url}#sha256={pot.fetch(url).files[0].sha256}").path == model.path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": "https://h/m", "architecture": "resnet81"}, "Did you mean 'resnet18'"),
        ({"name": "brt"}, "Did you mean 'bert'"),
        ({"name": "bert", "task": "fil-mask"}, "Did you mean 'fill-mask'"),
        ({"name": "bert", "dtype": "float15"}, "Did you mean 'float1"),
        ({"name": "bert", "kind": "vision"}, "is a language model, not a vision model"),
        ({"name": "bert", "device": "cuda:99"}, "torch sees"),
    ],
)
def test_what_cannot_be_meant_is_an_error_before_a_request(
    hub: StandIn, arguments: dict[str, str], said: str
) -> None:
    with pytest.raises(pot.UsageError, match=said):
        pot.load(**arguments)  # type: ignore[arg-type]
    assert len(hub.log) == 0


@pytest.mark.parametrize("policy", ["missing", "always"])
def test_load_never_gives_a_stand_in(
    hub: StandIn, monkeypatch: pytest.MonkeyPatch, policy: str
) -> None:
    monkeypatch.setenv("POT_MOCK", policy)
    monkeypatch.setenv("POT_NETWORK", "block")
    with pytest.raises(pot.UnavailableError, match="closed by network=block") as caught:
        pot.load("bert")
    assert caught.value.reason is pot.Reason.NOT_CACHED
    assert pot.load("mock-lstm").is_mock


def test_fetch_brings_files_and_asks_once(hub: StandIn) -> None:
    stored = pot.fetch("bert")
    assert (stored.path / "model.safetensors").is_file()
    assert stored.fresh
    hub.log.clear()
    assert pot.fetch("bert") == stored
    assert len(hub.log) == 0


def test_fetch_again_takes_the_newest_revision(hub: StandIn) -> None:
    repo = hub.add_repo("org/moving", tiny_bert())
    first = pot.fetch("org/moving")
    repo.commit(tiny_bert(seed=1))
    assert pot.fetch("org/moving").revision == first.revision
    assert pot.fetch("org/moving", again=True).revision == repo.sha


def test_wrong_bytes_are_told(hub: StandIn) -> None:
    hub.fault(FlippedByte(at=2000), "model.safetensors", times=None)
    with pytest.raises(pot.DigestMismatchError, match=r"model\.safetensors"):
        pot.load("bert")


def test_fetch_needs_neither_torch_nor_pytest(hub: StandIn) -> None:
    said = subprocess.run([sys.executable, "-c", FETCH], capture_output=True, text=True, check=True)
    assert said.stdout.split() == []
