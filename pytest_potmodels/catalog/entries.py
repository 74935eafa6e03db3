"""Catalog entries: what a name stands for, and how tables of them are read and checked."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from pytest_potmodels.artifacts import Kind, LoadOptions, ModelRequest
from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.identifiers import SOURCE_ALIASES, SOURCES, ModelId, checked

KINDS: tuple[Kind, ...] = get_args(Kind)
KEYS = (
    "source", "name", "revision", "weights", "architecture",
    "kind", "task", "auto_class", "dtype", "description",
)  # fmt: skip

#: Says where a key is written: `file:line`.
Where = Callable[..., str]


@dataclass(frozen=True)
class CatalogEntry:
    """A name and the model it stands for."""

    name: str
    id: ModelId
    kind: Kind
    kind_known: bool = True
    options: LoadOptions = field(default_factory=LoadOptions)
    weights: str | None = None
    architecture: str | None = None
    description: str = ""

    def request(self, asked: str) -> ModelRequest:
        """The request that this entry stands for."""
        return ModelRequest(
            id=self.id,
            asked=asked,
            kind=self.kind,
            options=self.options,
            weights=self.weights,
            architecture=self.architecture,
            kind_known=self.kind_known,
        )


def read_entry(name: str, table: Any, where: Where) -> CatalogEntry:
    """Read one `[models.NAME]` table.

    Raises:
        UsageError: a key or value that cannot be meant, with file and line.
    """
    text = _strings(name, table, where)
    source = text.get("source", "")
    source = SOURCE_ALIASES.get(source, source)
    if source not in SOURCES:
        raise UnknownNameError("source", source, SOURCES, where=where("models", name, "source"))
    weights = _weights(source, name, text, where)
    revision = f"weights-{short_digest(weights)}" if weights else text.get("revision")
    model_id = ModelId(source, text.get("name", name), revision)
    try:
        checked(model_id)
    except UsageError as error:
        raise UsageError(f"{where('models', name)}: {error.message}") from None
    kind, known = kind_of(model_id, text.get("kind"), where=where("models", name, "kind"))
    return CatalogEntry(
        name=name,
        id=model_id,
        kind=kind,
        kind_known=known,
        options=LoadOptions(text.get("task"), text.get("auto_class"), text.get("dtype")),
        weights=weights,
        architecture=text.get("architecture"),
        description=text.get("description", ""),
    )


def short_digest(text: str) -> str:
    """Eight hex digits: two URLs for one architecture are two revisions of it."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def kind_of(model_id: ModelId, stated: str | None, *, where: str = "") -> tuple[Kind, bool]:
    """What a model is used as, and whether that is known rather than assumed.

    Raises:
        UsageError: a kind that does not exist, or that contradicts the source.
    """
    if stated is not None and stated not in KINDS:
        raise UnknownNameError("kind", stated, KINDS, where=where)
    fixed: dict[str, Kind] = {"torchvision": "vision"}
    if model_id.source == "mock":
        if model_id.name not in KINDS:
            raise UnknownNameError("mock", model_id.name, KINDS, where=where)
        fixed["mock"] = "vision" if model_id.name == "vision" else "language"
    certain = fixed.get(model_id.source)
    if stated is None:
        return certain or "language", certain is not None
    if certain and stated != certain:
        raise UsageError(f"{model_id} is a {certain} model, not a {stated} model.")
    return ("vision" if stated == "vision" else "language"), True


def _strings(name: str, table: Any, where: Where) -> Mapping[str, str]:
    if not isinstance(table, Mapping):
        raise UsageError(f"{where('models', name)}: [models.{name}] is no table.")
    for key, value in table.items():
        place = where("models", name, key)
        if key not in KEYS:
            known = ", ".join(KEYS)
            raise UnknownNameError("key", key, KEYS, where=place, remedy=f"keys: {known}")
        if not isinstance(value, str):
            raise UsageError(f"{place}: {key} = {value!r} is no string.")
    return table


def _weights(source: str, name: str, text: Mapping[str, str], where: Where) -> str | None:
    weights = text.get("weights")
    if weights is not None and source != "torchvision":
        raise UsageError(
            f"{where('models', name, 'weights')}: `weights` replaces the weights of a "
            f"torchvision architecture; {name!r} is from {source}."
        )
    return weights
