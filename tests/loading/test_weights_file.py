"""State dicts from files that anybody may have written."""

import pickle
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.loading.weights_file import read_state, weights_path


class Bomb:
    """A pickle that writes a file when it is read with plain pickle."""

    def __init__(self, target: Path) -> None:
        self.target = str(target)

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (self.target, "w"))


def test_both_kinds_of_files_give_their_tensors(store: Any, tmp_path: Path) -> None:
    state = {"a": torch.rand(2, 3), "b": torch.arange(4)}
    for name, write in (("one.pth", torch.save), ("two.safetensors", save_file)):
        folder = tmp_path / name
        folder.mkdir()
        write(state, folder / name)
        read = read_state(store(folder))
        assert all(torch.equal(read[key], state[key]) for key in state)


def test_files_of_torch_before_its_zip_format_are_read(store: Any, tmp_path: Path) -> None:
    file = tmp_path / "old.pth"
    torch.save({"a": torch.ones(2)}, file, _use_new_zipfile_serialization=False)
    assert read_state(store(tmp_path))["a"].tolist() == [1, 1]


def test_layer_versions_survive(store: Any, tmp_path: Path) -> None:
    torch.save(nn.BatchNorm2d(3).state_dict(), tmp_path / "norm.pth")
    assert read_state(store(tmp_path))._metadata[""]["version"] == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "wrap", [lambda bomb: bomb, lambda bomb: {"weight": bomb}], ids=["bare", "in a dict"]
)
def test_a_pickle_is_never_executed(store: Any, tmp_path: Path, wrap: Any) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    torch.save(wrap(Bomb(tmp_path / "boom")), folder / "own.pth")
    with pytest.raises(UnavailableError, match="never executed") as caught:
        read_state(store(folder))
    assert caught.value.reason == Reason.NOT_LOADABLE
    assert not (tmp_path / "boom").exists()


def test_a_whole_pickled_model_is_refused_with_the_line_that_saves_its_weights(
    store: Any, tmp_path: Path
) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "own.pth")
    with pytest.raises(UnavailableError) as caught:
        read_state(store(tmp_path))
    assert "torch.save(model.state_dict(), FILE)" in caught.value.remedy


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"epoch": 3, "lr": 0.1}, "found a dict of epoch, lr"),
        ({}, "found nothing"),
        ([torch.zeros(1)], "found a list"),
        (torch.zeros(1), "found a Tensor"),
    ],
)
def test_what_is_no_state_dict_is_described(
    store: Any, tmp_path: Path, content: Any, found: str
) -> None:
    torch.save(content, tmp_path / "own.pth")
    with pytest.raises(UnavailableError, match=found):
        read_state(store(tmp_path))


@pytest.mark.parametrize("name", ["own.pth", "own.safetensors"])
@pytest.mark.parametrize("kept", [0, 7, 300])
def test_a_damaged_file_is_named(store: Any, tmp_path: Path, name: str, kept: int) -> None:
    file = tmp_path / name
    write = save_file if name.endswith(".safetensors") else torch.save
    write({"a": torch.rand(500)}, file)
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(UnavailableError, match=name):
        read_state(store(tmp_path))


def test_one_file_is_expected(store: Any, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="found none"):
        weights_path(store(tmp_path))
    for name in ("a.pth", "b.pth"):
        (tmp_path / name).touch()
    with pytest.raises(UnavailableError, match=r"found a\.pth, b\.pth"):
        weights_path(store(tmp_path))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<!doctype html><html>log in</html>", "is no file of torch; it begins with b'<!'"),
        (b"\x89HDF\r\n", "is no file of torch; it begins with"),
        (pickle.dumps({"a": 1}, protocol=4), "holds Python objects beside tensors"),
        (bytes(10240), "cannot be read"),
        (b"", "cannot be read: EOFError"),
    ],
    ids=["a page", "Keras", "another protocol", "zeros", "nothing"],
)
def test_what_is_no_weights_file_is_said_in_our_words(
    store: Any, tmp_path: Path, data: bytes, said: str
) -> None:
    (tmp_path / "own.pth").write_bytes(data)
    with pytest.raises(UnavailableError) as caught:
        read_state(store(tmp_path))
    assert said in caught.value.message
    assert "weights_only` set to" not in caught.value.message


def test_torchscript_is_refused_without_the_advice_to_run_it(store: Any, tmp_path: Path) -> None:
    with warnings.catch_warnings(action="ignore"):
        torch.jit.save(torch.jit.script(nn.Linear(1, 1)), tmp_path / "own.pt")
    with pytest.raises(UnavailableError, match="TorchScript") as caught:
        read_state(store(tmp_path))
    assert "to `False`" not in caught.value.message
    assert "torch.save(model.state_dict(), FILE)" in caught.value.remedy
