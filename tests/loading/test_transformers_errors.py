"""Folders that do not make a transformers model."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from pytest_potmodels.artifacts import LoadOptions, StoredModel
from pytest_potmodels.errors import MissingPackageError, Reason, UnavailableError
from pytest_potmodels.loading import load


def _refusal(stored: StoredModel) -> UnavailableError:
    with pytest.raises(UnavailableError) as caught:
        load(stored, LoadOptions(), device="cpu")
    return caught.value


def _edit(folder: Path, name: str = "config.json", **keys: Any) -> None:
    file = folder / name
    content = {**json.loads(file.read_text(encoding="utf-8")), **keys}
    file.write_text(json.dumps(content), encoding="utf-8")


class Bomb:
    """A pickle that writes a file when it is read with plain pickle."""

    def __init__(self, target: Path) -> None:
        self.target = str(target)

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (self.target, "w"))


def test_torch_files_alone_load_too(tiny_bert: Path, store: Any, transformers: Any) -> None:
    expected = transformers.AutoModel.from_pretrained(tiny_bert).state_dict()
    (tiny_bert / "model.safetensors").unlink()
    torch.save(expected, tiny_bert / "pytorch_model.bin")
    loaded = load(store(tiny_bert), LoadOptions(), device="cpu")
    state = loaded.model.state_dict()
    assert all(torch.equal(state[name], expected[name]) for name in expected)


def test_a_pickle_in_the_weights_is_never_executed(
    tiny_bert: Path, store: Any, tmp_path: Path
) -> None:
    (tiny_bert / "model.safetensors").unlink()
    torch.save({"weight": Bomb(tmp_path / "boom")}, tiny_bert / "pytorch_model.bin")
    error = _refusal(store(tiny_bert))
    assert error.reason == Reason.NOT_LOADABLE
    assert "never executed" in error.message
    assert not (tmp_path / "boom").exists()


def test_a_model_that_needs_code_of_its_own_says_so(tiny_bert: Path, store: Any) -> None:
    _edit(tiny_bert, model_type="own", auto_map={"AutoModel": "modeling_own.OwnModel"})
    (tiny_bert / "modeling_own.py").write_text("raise SystemExit('executed')", encoding="utf-8")
    assert "auto_map in config.json" in _refusal(store(tiny_bert)).message


def test_a_tokenizer_that_needs_code_of_its_own_says_so(tiny_bert: Path, store: Any) -> None:
    own = {"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["own.Own", None]}}
    _edit(tiny_bert, "tokenizer_config.json", **own)
    (tiny_bert / "vocab.txt").unlink()
    (tiny_bert / "own.py").write_text("raise SystemExit('executed')", encoding="utf-8")
    assert "auto_map in tokenizer_config.json" in _refusal(store(tiny_bert)).message


def test_custom_code_beside_a_known_architecture_is_not_needed(tiny_bert: Path, store: Any) -> None:
    _edit(tiny_bert, auto_map={"AutoModel": "modeling_own.OwnModel"})
    loaded = load(store(tiny_bert), LoadOptions(), device="cpu")
    assert type(loaded.model).__module__.startswith("transformers.")


def test_shapes_that_differ_are_named(tiny_bert: Path, store: Any) -> None:
    _edit(tiny_bert, intermediate_size=8)
    message = _refusal(store(tiny_bert)).message
    assert "intermediate.dense.bias: expected (8,), found (16,)" in message


def test_weights_of_another_architecture_are_refused(
    tiny_bert: Path, tiny_vit: Path, store: Any
) -> None:
    shutil.copy(tiny_vit / "model.safetensors", tiny_bert)
    assert "none of the weights of BertModel" in _refusal(store(tiny_bert)).message


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.safetensors", b"\x00" * 20, "header"),
        ("config.json", b"{", "not a valid JSON file"),
        ("config.json", b'{"model_type": "no-such-type"}', "no-such-type"),
    ],
)
def test_damaged_files_are_named_with_the_command_that_checks_them(
    tiny_bert: Path, store: Any, name: str, content: bytes, message: str
) -> None:
    (tiny_bert / name).write_bytes(content)
    error = _refusal(store(tiny_bert))
    assert message in error.message
    assert error.remedy.startswith("potmodels verify file:")


@pytest.mark.parametrize("missing", ["config.json", "model.safetensors"])
def test_a_folder_without_one_of_the_two_essential_files_says_which(
    tiny_bert: Path, store: Any, missing: str
) -> None:
    (tiny_bert / missing).unlink()
    assert missing in _refusal(store(tiny_bert)).message


def test_a_package_that_the_model_needs_is_named_with_its_pip_line(
    tiny_bert: Path, store: Any
) -> None:
    _edit(tiny_bert, model_type="timm_wrapper", architecture="resnet18")
    error = _refusal(store(tiny_bert))
    assert isinstance(error, MissingPackageError)
    assert "timm" in error.message
    assert error.remedy == "pip install timm"
