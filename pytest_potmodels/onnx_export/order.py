"""What is asked of an export, and the name of the folder that its result lies in."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest_potmodels
from pytest_potmodels import extras
from pytest_potmodels.artifacts import Format, LoadOptions, StoredModel
from pytest_potmodels.onnx_export import recipes
from pytest_potmodels.onnx_export.recipes import Recipe
from pytest_potmodels.store import manifest, plain_json

#: Counts up when the recipes of the table, the strategies or the gate change what comes out.
_SCHEMA = 1
#: What makes a file, beside the library that builds the model.
_MAKERS = ("torch", "onnx", "onnxscript", "onnx-ir")
#: What it was compared by. A newer one is no reason to make the same file again.
_JUDGES = ("onnxruntime",)
_BUILDERS: Mapping[Format, tuple[str, ...]] = {
    "transformers": ("transformers",),
    "torchvision": ("torchvision",),
    "torch_hub": ("timm", "torchvision", "transformers"),
}
_CONFIG = "config.json"
_NEEDED = ("torch", "onnx", "onnxscript", "onnxruntime", "psutil")

Samples = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Order:
    """A stored model, how it is loaded, and what of it is to be a file."""

    stored: StoredModel
    options: LoadOptions
    #: The submodule to export, by its dotted name; "": the whole.
    part: str = ""
    #: None: what the strategy that succeeds emits by itself.
    opset: int | None = None
    #: The user's own.
    recipes: tuple[Recipe, ...] = ()
    #: Calls to learn the inputs from: name -> array.
    samples: tuple[Mapping[str, Any], ...] = ()

    @property
    def makers(self) -> dict[str, str]:
        """The versions of what makes the file, without an import of it."""
        builders = _BUILDERS.get(self.stored.format, ())
        return {name: _version(name) for name in (*_MAKERS, *builders)}

    @property
    def versions(self) -> dict[str, str]:
        """The versions of all that had a part in it."""
        return {**self.makers, **{name: _version(name) for name in _JUDGES}}

    @property
    def key(self) -> str:
        """A name for all that the file depends on."""
        stored = self.stored
        inputs = {
            "schema": _SCHEMA,
            "format": stored.format,
            "digest": _digest_of_mocks(stored.kind) if stored.format == "mock" else stored.digest,
            "architecture": stored.architecture,
            "revision": stored.revision,
            "options": asdict(self.options),
            "part": self.part,
            "opset": self.opset,
            "recipes": [recipes.as_json(each) for each in self.recipes],
            "samples": digest_of_samples(self.samples),
            "versions": self.makers,
        }
        text = json.dumps(inputs, sort_keys=True)
        return f"onnx-{hashlib.sha256(text.encode()).hexdigest()[:20]}"

    def as_json(self) -> dict[str, Any]:
        """All but the samples, as plain values."""
        return {
            "stored": manifest.as_json(self.stored),
            "path": str(self.stored.path),
            "options": asdict(self.options),
            "part": self.part,
            "opset": self.opset,
            "recipes": [recipes.as_json(each) for each in self.recipes],
        }


def from_json(said: Mapping[str, Any], samples: Samples = ()) -> Order:
    """An order as it was before `as_json`."""
    return Order(
        stored=manifest.from_json(said["stored"], Path(said["path"])),
        options=LoadOptions(**said["options"]),
        part=said["part"],
        opset=said["opset"],
        recipes=tuple(recipes.from_json(each) for each in said["recipes"]),
        samples=tuple(samples),
    )


def concerned(stored: StoredModel, own: Iterable[Recipe]) -> tuple[Recipe, ...]:
    """Those recipes that may be for a model, as far as its files tell: others change no key."""
    types = _model_types(stored)
    return tuple(
        each for each in own if not (types and each.model_types) or types & {*each.model_types}
    )


def _model_types(stored: StoredModel) -> set[str]:
    """What `config.json` says of the model and of its parts; nothing where there is none."""
    if _CONFIG not in [file.path for file in stored.files]:
        return set()
    try:
        return set(_types_in(plain_json.parsed((stored.path / _CONFIG).read_bytes())))
    except (OSError, ValueError, RecursionError):
        return set()  # The loader will say what is wrong with it.


def _types_in(config: Any) -> Iterator[str]:
    if isinstance(config, dict):
        if isinstance(found := config.get("model_type"), str):
            yield found
        for each in config.values():
            yield from _types_in(each)


def require_packages() -> None:
    """Make sure that what makes and judges a file is installed; nothing is imported.

    Raises:
        MissingPackageError: with the pip line.
    """
    for package in _NEEDED:
        extras.require_installed(package)


def digest_of_samples(samples: Samples) -> str:
    """One sha256 over names, types, shapes and numbers; "" for none."""
    if not samples:
        return ""
    total = hashlib.sha256()
    for sample in samples:
        for name in sorted(sample):
            array = sample[name]
            total.update(f"{name} {array.dtype} {array.shape}\n".encode())
            total.update(array.tobytes())
        total.update(b"\n")
    return total.hexdigest()


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def _digest_of_mocks(kind: str) -> str:
    """A stand-in has no files but the code that draws it."""
    total = hashlib.sha256(kind.encode())
    folder = Path(pytest_potmodels.__file__).parent / "mocks"
    for path in sorted(folder.glob("*.py")):
        total.update(path.read_bytes())
    return total.hexdigest()
