"""The shipped table of torchvision's classification weights, read without torchvision or torch."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from pytest_potmodels.errors import UnknownNameError

_TABLE = "torchvision_weights.toml"


@dataclass(frozen=True)
class TorchvisionWeights:
    """One published set of weights.

    `size` is in bytes, as torchvision rounds it: within a kilobyte of the file's.
    `categories` is 0 where the weights are meant for the features alone.
    """

    architecture: str
    name: str
    url: str
    sha256_prefix: str
    size: int
    categories: int
    license: str = "unknown"
    recipe: str = ""

    @property
    def file_name(self) -> str:
        """The last part of the URL; torchvision and torch.hub name their files by it."""
        return PurePosixPath(urlsplit(self.url).path).name


@cache
def architectures() -> tuple[str, ...]:
    """The names of all classification architectures, sorted."""
    return tuple(sorted(_table()))


def all_weights(architecture: str) -> tuple[TorchvisionWeights, ...]:
    """Every published set of an architecture, its default first.

    Raises:
        UnknownNameError: no such architecture; the message lists close ones.
    """
    entry = _entry(architecture)
    names = sorted(entry["weights"], key=lambda name: (name != entry["default"], name))
    return tuple(_weights(architecture, name, entry["weights"][name]) for name in names)


def weights_of(architecture: str, name: str | None = None) -> TorchvisionWeights:
    """The named set of an architecture; without a name (or by `DEFAULT`) torchvision's default.

    Raises:
        UnknownNameError: no such architecture or weights; the message lists close ones.
    """
    sets = {weights.name: weights for weights in all_weights(architecture)}
    if name is None or name == "DEFAULT":
        return next(iter(sets.values()))
    if name not in sets:
        remedy = f"{architecture} has {', '.join(sets)}"
        raise UnknownNameError(f"weights of {architecture}", name, sets, remedy=remedy)
    return sets[name]


def _weights(architecture: str, name: str, row: Mapping[str, Any]) -> TorchvisionWeights:
    fields = {**row, "sha256_prefix": row["sha256"]}
    del fields["sha256"]
    return TorchvisionWeights(architecture, name, **fields)


def _entry(architecture: str) -> Mapping[str, Any]:
    table = _table()
    if architecture not in table:
        remedy = "potmodels catalog lists the torchvision architectures"
        raise UnknownNameError("torchvision architecture", architecture, table, remedy=remedy)
    entry: Mapping[str, Any] = table[architecture]
    return entry


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath(_TABLE).read_text("utf-8"))
