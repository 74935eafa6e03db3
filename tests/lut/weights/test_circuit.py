"""Weights, their YAML and their hardened form go together, whenever one of them is replaced."""

from pathlib import Path

import pytest
import torch
from lut_networks import fitted, samples

from pytest_potmodels.config_files.yaml import as_yaml
from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut import ModelConfig, SimpleFeedForward, build_model, harden, load_hardened
from pytest_potmodels.lut.weights import circuit, pairing


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with `net`: weights, hardened form, and a YAML that names both."""
    monkeypatch.setenv("POT_LUT_PATH", str(tmp_path))
    home, model = tmp_path / "feedforward", fitted()
    model.save_weights(home / "net.safetensors")
    harden(model).save(home / "net.hard.safetensors")
    model.save_config(home / "net.yaml")
    hardened = pairing.entry(home / "net.hard.safetensors")
    more = {"hardened": hardened, "metrics": {"hard": 1.0}, "train": {"epochs": 1}}
    with (home / "net.yaml").open("a") as stream:
        stream.write("# mine\n" + as_yaml(more))
    return home


def other() -> SimpleFeedForward:
    return fitted(runtime={"seed": 5})


def bits(model: SimpleFeedForward) -> list[list[float]]:
    found: list[list[float]] = model(samples(seed=3), eval_mode="hard").tolist()
    return found


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_the_hardened_form_follows_the_weights(suffix: str, home: Path) -> None:
    other().save_weights(home / f"net{suffix}", overwrite=True)
    assert bits(build_model("net")) == bits(other())  # type: ignore[arg-type]
    assert load_hardened("net").logits(samples(seed=3)).tolist() == bits(other())
    extras = ModelConfig.read_document(home / "net.yaml").extras
    assert set(extras) == {"format", "weights", "hardened", "train"}  # Metrics were of others.
    assert "# mine" in (home / "net.yaml").read_text()


def test_the_same_weights_keep_what_is_said_of_them(home: Path) -> None:
    before = (home / "net.hard.safetensors").read_bytes()
    fitted().save_weights(home / "net.safetensors", overwrite=True)
    assert (home / "net.hard.safetensors").read_bytes() == before
    assert load_hardened("net").digest
    assert ModelConfig.read_document(home / "net.yaml").extras["metrics"] == {"hard": 1.0}


def test_a_form_of_other_weights_is_not_replaced_unasked(home: Path) -> None:
    (home / "net.safetensors").unlink()
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    with pytest.raises(LUTError, match=r"net.hard.safetensors is there already, and is of other"):
        other().save_weights(home / "net.safetensors")
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before
    fitted().save_weights(home / "net.safetensors")
    assert load_hardened("net").logits(samples(seed=3)).tolist() == bits(fitted())


@pytest.mark.parametrize("written", [False, True])
def test_who_is_killed_between_leaves_files_that_go_together(
    written: bool,  # noqa: FBT001
    home: Path,
) -> None:
    document = pairing.document_beside(home / "net.safetensors", fitted().config)
    new = harden(other())
    with pairing.released(document), circuit.replaced(home / "net.hard.safetensors", new):
        if written:
            (home / "net.safetensors").unlink()
            torch.save(other().state_dict(), home / "state")
            kept = (home / "net.yaml").read_text()
            (home / "net.yaml").unlink()
            (home / "net.hard.safetensors").unlink(missing_ok=True)
            other().save_weights(home / "net.safetensors")
            (home / "net.yaml").write_text(kept)
        assert bits(build_model("net")) == bits(other() if written else fitted())  # type: ignore[arg-type]
        with pytest.raises(LUTError, match="no hardened form"):
            load_hardened("net")


def test_a_disk_that_does_not_take_them_leaves_all_as_it_was(home: Path) -> None:
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    document = pairing.document_beside(home / "net.safetensors", fitted().config)
    with (
        pytest.raises(LUTError, match="full"),
        pairing.released(document),
        circuit.replaced(home / "net.hard.safetensors", harden(other())),
    ):
        raise LUTError("the disk is full")
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before
