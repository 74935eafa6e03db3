"""What is asked of an export, and the name of the folder that its result lies in."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest_potmodels
from pytest_potmodels import extras
from pytest_potmodels.artifacts import Format, Kind, LoadOptions, StoredModel
from pytest_potmodels.errors import MissingPackageError, UsageError
from pytest_potmodels.onnx_export import family_names, recipes
from pytest_potmodels.onnx_export.recipes import Recipe
from pytest_potmodels.store import manifest, plain_json

#: Counts up when the recipes of the table, the strategies or the gate change what comes out.
_SCHEMA = 2
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
#: A LUT network is written down, and what came as ONNX is looked at: nothing is traced.
_PLAIN_MAKERS = ("onnx",)
_LUT_NEEDED, _ORIGINAL_NEEDED = ("numpy", "onnx", "onnxruntime"), ("onnx", "onnxruntime", "psutil")

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
    #: What the model is said to be; "": what it says itself.
    family: str = ""

    @property
    def makers(self) -> dict[str, str]:
        """The versions of what makes the file, without an import of it."""
        if self.stored.kind == "lut" or self.stored.format == "onnx":
            return {name: _version(name) for name in _PLAIN_MAKERS}
        builders = _BUILDERS.get(self.stored.format, ())
        return {name: _version(name) for name in (*_MAKERS, *builders)}

    @property
    def versions(self) -> dict[str, str]:
        """The versions of all that had a part in it."""
        return {**self.makers, **{name: _version(name) for name in _JUDGES}}

    @property
    def key(self) -> str:
        """A name for all that the file depends on."""
        return f"onnx-{_hashed({**self._inputs, 'versions': self.makers})}"

    @property
    def asked(self) -> str:
        """A name for all of it but the versions."""
        return _hashed(self._inputs)

    @property
    def _inputs(self) -> dict[str, Any]:
        stored = self.stored
        return {
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
            "family": self.family,
        }

    def as_json(self) -> dict[str, Any]:
        """All but the samples, as plain values."""
        return {
            "stored": manifest.as_json(self.stored),
            "path": str(self.stored.path),
            "options": asdict(self.options),
            "part": self.part,
            "opset": self.opset,
            "recipes": [recipes.as_json(each) for each in self.recipes],
            "family": self.family,
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
        family=said["family"],
    )


def steered(order: Order, family: str, own: Sequence[Recipe]) -> Order:
    """The same for a model that is said to be of a family, with the recipes that are then for it.

    What only says again what the model says itself asks for the same file.

    Raises:
        UnknownNameError: there is no such family; with close matches.
        UsageError: it is fed in one way only.
    """
    if not family or order.stored.format == "onnx":
        return order
    if order.stored.kind == "lut":
        raise UsageError(
            f"{order.stored.id} is a LUT network, and none of the type {family!r}.",
            remedy="leave the type out",
        )
    family_names.check(family, own)
    if _says_itself(order.stored, family, own):
        return order
    meant = (*order.recipes, *family_names.named(family, own))
    return replace(order, family=family, recipes=tuple(each for each in own if each in meant))


def _says_itself(stored: StoredModel, family: str, own: Sequence[Recipe]) -> bool:
    if (stored.architecture or "").startswith(family):
        return True
    meant = family_names.named(family, own)
    return any(family_names.named(each, own) == meant for each in _model_types(stored)[:1])


def concerned(stored: StoredModel, own: Iterable[Recipe]) -> tuple[Recipe, ...]:
    """Those recipes that may be for a model, as far as its files tell: others change no key."""
    types = {*_model_types(stored)}
    return tuple(
        each for each in own if not (types and each.model_types) or types & {*each.model_types}
    )


def _model_types(stored: StoredModel) -> list[str]:
    """What `config.json` says of the model, then of its parts; nothing where there is none."""
    if _CONFIG not in [file.path for file in stored.files]:
        return []
    try:
        return list(_types_in(plain_json.parsed((stored.path / _CONFIG).read_bytes())))
    except (OSError, ValueError, RecursionError):
        return []  # The loader will say what is wrong with it.


def _types_in(config: Any) -> Iterator[str]:
    if isinstance(config, dict):
        if isinstance(found := config.get("model_type"), str):
            yield found
        for each in config.values():
            yield from _types_in(each)


def require_packages(kind: Kind, model_format: Format | None = None) -> None:
    """Make sure that what makes and judges a file of a model is installed; nothing is imported.

    Raises:
        MissingPackageError: with the pip line.
    """
    for package in _needed(kind, model_format):
        extras.require_installed(package)


def _needed(kind: Kind, model_format: Format | None) -> tuple[str, ...]:
    if kind == "lut":
        return _LUT_NEEDED
    if model_format == "onnx":
        return _ORIGINAL_NEEDED
    builders = () if model_format == "torch_hub" else _BUILDERS.get(model_format or "mock", ())
    return (*_NEEDED, *builders)


def may_be_made(order: Order) -> bool:
    """Whether all is installed that makes and judges a file."""
    try:
        require_packages(order.stored.kind, order.stored.format)
    except MissingPackageError:
        return False
    return True


def _hashed(inputs: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:20]


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
    package = Path(pytest_potmodels.__file__).parent
    for path in sorted(package.glob("loading/lut_*.py" if kind == "lut" else "mocks/*.py")):
        total.update(path.read_bytes())
    return total.hexdigest()
