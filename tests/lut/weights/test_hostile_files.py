"""Files of weights that somebody made to do harm, or by mistake: a word why not, and no more."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from lut_networks import config, fitted
from safetensors import torch as safetensors

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut import ModelConfig, SimpleFeedForward
from pytest_potmodels.lut.weights.checking import state_for_files

MAPPING, LOGITS = "layers.0.mapping", "layers.0.node.logits"


def loaded(path: Path) -> SimpleFeedForward:
    """A network of unknown input size, with these weights."""
    model = SimpleFeedForward(config())
    try:
        model.load_weights(path)
    except LUTError:
        assert model.encoder is None
        assert not list(model.layers)
        raise
    return model


def written(folder: Path, *, said: Any = None, **changes: torch.Tensor) -> Path:
    """A file with some tensors changed, and this in its metadata."""
    path = folder / "net.safetensors"
    state = {**state_for_files(fitted()), **changes}
    metadata = None if said is None else {"potmodels_lut": said}
    safetensors.save_file({name: each.contiguous() for name, each in state.items()}, path, metadata)
    return path


@pytest.mark.parametrize(
    "dtype",
    [torch.uint16, torch.uint32, torch.uint64, torch.bool, torch.complex64, torch.float32],
)
def test_indices_of_another_type_are_no_mapping(dtype: torch.dtype, tmp_path: Path) -> None:
    mapping = fitted().state_dict()[MAPPING].to(dtype)
    with pytest.raises(LUTError, match=f"{MAPPING}: file {dtype}, config torch.int32"):
        loaded(written(tmp_path, **{MAPPING: mapping}))


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2, torch.complex64])
def test_scores_of_another_type_are_no_scores(dtype: torch.dtype, tmp_path: Path) -> None:
    logits = fitted().state_dict()[LOGITS].to(dtype)
    with pytest.raises(LUTError, match=f"{LOGITS}: file {dtype}, config torch.float32"):
        loaded(written(tmp_path, **{LOGITS: logits}))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_scores_with_more_or_fewer_digits_are_taken(dtype: torch.dtype, tmp_path: Path) -> None:
    logits = fitted().state_dict()[LOGITS].to(dtype)
    found = loaded(written(tmp_path, **{LOGITS: logits})).state_dict()[LOGITS]
    assert torch.equal(found, logits.float())


def test_a_score_that_would_be_infinite_here_is_said(tmp_path: Path) -> None:
    logits = torch.full((12, 8), 1e300, dtype=torch.float64)
    with pytest.raises(LUTError, match=f"{LOGITS} has 96 infinite values"):
        loaded(written(tmp_path, **{LOGITS: logits}))


@pytest.mark.parametrize(
    "said", ["[" * 100_000, '{"format": Infinity, "config": {}}', f'{{"format": {"9" * 5000}}}']
)
def test_metadata_that_breaks_its_readers_is_said(said: str, tmp_path: Path) -> None:
    with pytest.raises(LUTError, match="has metadata that cannot be read"):
        loaded(written(tmp_path, said=said))


@pytest.mark.parametrize("size", [10**13, -5, True, 7])
@pytest.mark.parametrize("own_rows", [True, False])
def test_a_size_that_the_tensors_do_not_have_is_not_built(
    own_rows: bool,  # noqa: FBT001
    size: int,
    tmp_path: Path,
) -> None:
    encoder = {"name": "thermometer", "num_bits": 2, "feature_wise": own_rows}
    structure = {**config(encoder_config=encoder).structure(), "input_size": size}
    thresholds = torch.zeros(8 if own_rows else 1, 2)
    said = json.dumps({"format": 1, "config": structure})
    path = written(tmp_path, said=said, **{"encoder.thresholds": thresholds})
    model = SimpleFeedForward(config(encoder_config=encoder))
    with pytest.raises(LUTError, match=r"another network|does not say how many|has index"):
        model.load_weights(path)
    assert model.encoder is None


def test_tensors_without_values_are_none(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    torch.save({**state_for_files(fitted()), LOGITS: torch.empty(12, 8, device="meta")}, path)
    with pytest.raises(LUTError, match="which is no plain tensor"):
        loaded(path)


class Harm:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.folder),)


def test_nobody_is_told_to_read_a_pickle_without_a_guard(tmp_path: Path) -> None:
    path, mark = tmp_path / "net.pth", tmp_path / "mark"
    path.write_bytes(pickle.dumps(Harm(mark)))
    with pytest.raises(LUTError, match="no valid file of weights") as error:
        loaded(path)
    assert "False" not in str(error.value)
    assert not mark.exists()


@pytest.mark.parametrize("make", ["folder", "loop", "pipe", "long"])
def test_what_is_no_file_is_said(make: str, tmp_path: Path) -> None:
    path = tmp_path / ("x" * 5000 if make == "long" else "net")
    for suffix in (".safetensors", ".yaml"):
        place = path.with_name(path.name + suffix)
        if make == "folder":
            place.mkdir()
        elif make == "loop":
            place.symlink_to(place)
        elif make == "pipe":
            os.mkfifo(place)
    with pytest.raises(LUTError, match=r"no file of weights|cannot be read: File name too long"):
        loaded(path.with_name(f"{path.name}.safetensors"))
    with pytest.raises(LUTError, match=r"no configuration file|cannot be read: File name too long"):
        ModelConfig.from_yaml(path.with_name(f"{path.name}.yaml"))


def test_a_hardened_network_has_no_weights(tmp_path: Path) -> None:
    path = tmp_path / "net.hard.safetensors"
    with pytest.raises(LUTError, match=r"hardened network(.|\n)*load_hardened"):
        loaded(path)
    with pytest.raises(LUTError, match=r"hardened network(.|\n)*harden\(model\)\.save"):
        fitted().save_weights(path)
