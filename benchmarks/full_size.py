"""A cache with models of full size and random weights, made here: nothing is downloaded."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import torch

from pytest_potmodels.artifacts import Format, Kind, StoredFile, StoredModel
from pytest_potmodels.catalog.reader import build_catalog
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.loading.torchvision_guard import import_torchvision, import_transformers
from pytest_potmodels.pipeline import Pipeline, open_pipeline
from pytest_potmodels.settings.resolution import resolve
from pytest_potmodels.store import manifest
from pytest_potmodels.store.layout import MANIFEST, Layout, entry_name

#: Bytes that a download gets from the network at once, and writes.
PIECE = 64 * 1024
BERT, RESNET, MOBILENET = "bert-base-uncased", "resnet18", "mobilenet_v2"
MODELS = (BERT, RESNET, MOBILENET)


def write_cache(folder: Path) -> None:
    """Fill a cache folder with the three models."""
    layout = Layout.at(folder)
    layout.prepare()
    for name in MODELS:
        _write_bert(layout) if name == BERT else write_vision(layout, name)


def pipeline_of(folder: Path) -> Pipeline:
    """The pipeline over that cache, with the network closed."""
    settings = resolve({"cache_dir": folder, "offline": True}, {}, folder)
    return open_pipeline(settings, catalog=build_catalog({}, settings.where))


def import_all() -> Any:
    """Import what all three models need; torchvision's models."""
    models = import_torchvision().models
    transformers = import_transformers()
    _ = transformers.BertModel, transformers.AutoTokenizer, transformers.AutoProcessor
    return models


def stock_load(folder: Path, name: str) -> Any:
    """What people write: `from_pretrained`, or builder, torch.load and load_state_dict."""
    entry = entry_of(folder, name)
    if name == BERT:
        return import_transformers().AutoModel.from_pretrained(entry)
    model = import_torchvision().models.get_model(name)
    model.load_state_dict(torch.load(weights_of(folder, name), weights_only=True))
    return model.eval()


def entry_of(folder: Path, name: str) -> Path:
    """A model's folder in the cache."""
    source = "huggingface" if name == BERT else "torchvision"
    return Layout.at(folder).entry(entry_name(ModelId(source, name)))


def weights_of(folder: Path, name: str) -> Path:
    """A model's weights file in the cache."""
    entry = entry_of(folder, name)
    return next(path for path in entry.iterdir() if path.suffix in (".safetensors", ".pth"))


def _write_bert(layout: Layout) -> None:
    transformers = import_transformers()
    entry = layout.entry(entry_name(ModelId("huggingface", BERT)))
    transformers.BertModel(transformers.BertConfig()).save_pretrained(entry)
    _admit(entry, ModelId("huggingface", BERT), "language", "transformers", "0" * 40)


def write_vision(layout: Layout, name: str) -> None:
    """Add a network of torchvision's to a cache."""
    models = import_torchvision().models
    entry = layout.entry(entry_name(ModelId("torchvision", name)))
    entry.mkdir()
    torch.save(models.get_model(name).state_dict(), entry / f"{name}.pth")
    weights = models.get_model_weights(name).DEFAULT.name
    _admit(entry, ModelId("torchvision", name), "vision", "torchvision", weights, name)


def _admit(
    entry: Path,
    model: ModelId,
    kind: Kind,
    form: Format,
    revision: str,
    architecture: str | None = None,
) -> None:
    files = [_file(entry, path) for path in sorted(entry.iterdir())]
    stored = StoredModel(
        model, entry, kind, form, tuple(files), revision, ("",), architecture=architecture
    )
    manifest.write(stored, entry / MANIFEST)


def _file(entry: Path, path: Path) -> StoredFile:
    _write_as_downloaded(path)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return StoredFile(path.relative_to(entry).as_posix(), path.stat().st_size, digest)


def _write_as_downloaded(path: Path) -> None:
    """Write a file in pieces: the kernel keeps and maps it by those in which it was written."""
    whole = path.rename(path.with_name("whole"))
    with whole.open("rb") as source, path.open("wb", buffering=0) as target:
        shutil.copyfileobj(source, target, PIECE)
    whole.unlink()
