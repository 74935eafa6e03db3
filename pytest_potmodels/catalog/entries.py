"""Catalog entries: what a name stands for, and how tables of them are read and checked."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from pytest_potmodels.artifacts import Kind, LoadOptions, ModelRequest
from pytest_potmodels.catalog import web
from pytest_potmodels.catalog.torchvision_weights import weights_of
from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.identifiers import REVISIONED, SOURCE_ALIASES, SOURCES, ModelId, checked

KINDS: tuple[Kind, ...] = get_args(Kind)
#: Those of which each preset has a model.
PRESET_KINDS: tuple[Kind, ...] = ("vision", "language")
KEYS = (
    "source", "name", "revision", "weights", "architecture", "sha256",
    "kind", "task", "auto_class", "dtype", "description",
)  # fmt: skip

#: How the revision begins that stands for a URL with weights of the user's own.
_OWN_WEIGHTS = "weights-"

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
    sha256: str | None = None
    address: str | None = field(default=None, repr=False)
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
            sha256=self.sha256,
            address=self.address,
        )


def read_entry(name: str, table: Any, where: Where, *, published: bool = False) -> CatalogEntry:
    """Read one `[models.NAME]` table; `published`: what it names is known to be there.

    Raises:
        UsageError: a key or value that cannot be meant, with file and line.
    """
    text = _strings(name, table, where)
    source = _source(name, text, where)
    _check_replacements(source, name, text, where)
    weights = text.get("weights")
    revision = _OWN_WEIGHTS + short_digest(weights) if weights else text.get("revision")
    by_url = source == "url"
    try:
        written = web.read_keys(text.get("name", name), text) if by_url else None
        model_id = written.id if written else ModelId(source, text.get("name", name), revision)
        checked(model_id)
        if not published:
            check_published(model_id)
    except UsageError as error:
        place = where("models", name)
        raise UsageError(f"{place}: {error.message}", remedy=error.remedy) from None
    architecture = written.architecture if written else text.get("architecture")
    kind, known = kind_of(
        model_id, text.get("kind"), architecture, where=where("models", name, "kind")
    )
    return CatalogEntry(
        name=name,
        id=model_id,
        kind=kind,
        kind_known=known,
        options=LoadOptions(text.get("task"), text.get("auto_class"), text.get("dtype")),
        weights=weights,
        architecture=architecture,
        sha256=written.sha256 if written else None,
        address=written.address if written else None,
        description=text.get("description", ""),
    )


def check_published(model_id: ModelId) -> None:
    """Accept a torchvision network and its weights if torchvision has them.

    What is from elsewhere only its source can tell, and weights of the user's own have no name.

    Raises:
        UnknownNameError: it has not, with close matches.
    """
    if model_id.source == "torchvision":
        own = (model_id.revision or "").startswith(_OWN_WEIGHTS)
        weights_of(model_id.name, None if own else model_id.revision)


def short_digest(text: str) -> str:
    """Eight hex digits: two URLs for one architecture are two revisions of it."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def kind_of(
    model_id: ModelId, stated: str | None, architecture: str | None = None, *, where: str = ""
) -> tuple[Kind, bool]:
    """What a model is used as, and whether that is known rather than assumed.

    Raises:
        UsageError: a kind that does not exist, or that contradicts the source.
    """
    if stated is not None and stated not in KINDS:
        raise UnknownNameError("kind", stated, KINDS, where=where)
    certain = _certain_kind(model_id, architecture, where)
    if stated is None:
        # What is loaded by URL is a torchvision network, once somebody has said which; and
        # PyTorch Hub's first and most used repository is torchvision's.
        assumed: Kind = "vision" if model_id.source in ("url", "pytorch_hub") else "language"
        return certain or assumed, certain is not None
    place = f"{where}: " if where else ""
    if certain and stated != certain:
        raise UsageError(f"{place}{model_id} is a {certain} model, not a {stated} model.")
    if stated == "lut" and not certain:
        raise UsageError(f"{place}{model_id} is no LUT network.", remedy="name one: lut:NAME")
    return stated, True


def _certain_kind(model_id: ModelId, architecture: str | None, where: str) -> Kind | None:
    """What a model is whatever anybody says; None where nothing but its files could tell."""
    if model_id.source == "mock":
        if model_id.name not in KINDS:
            raise UnknownNameError("mock", model_id.name, KINDS, where=where)
        return model_id.name
    if model_id.source == "url" and architecture:
        return "vision"
    fixed: dict[str, Kind] = {"torchvision": "vision", "lut": "lut"}
    return fixed.get(model_id.source)


def _strings(name: str, table: Any, where: Where) -> Mapping[str, str]:
    if not isinstance(table, Mapping):
        raise UsageError(f"{where('models', name)}: [models.{name}] is no table.")
    if set(name) & {":", "@"}:
        raise UsageError(f"{where('models', name)}: {name!r} has a ':' or '@', as identifiers do.")
    for key, value in table.items():
        place = where("models", name, key)
        if key not in KEYS:
            known = ", ".join(KEYS)
            raise UnknownNameError("key", str(key), KEYS, where=place, remedy=f"keys: {known}")
        if not isinstance(value, str):
            raise UsageError(f"{place}: {key} = {value!r} is no string.")
    return table


def _source(name: str, text: Mapping[str, str], where: Where) -> str:
    if "source" not in text:
        raise UsageError(
            f"{where('models', name)}: [models.{name}] has no `source`.",
            remedy=f"one of: {', '.join(SOURCES)}",
        )
    source = SOURCE_ALIASES.get(text["source"], text["source"])
    if source not in SOURCES:
        raise UnknownNameError("source", source, SOURCES, where=where("models", name, "source"))
    return source


def _check_replacements(source: str, name: str, text: Mapping[str, str], where: Where) -> None:
    """Refuse what would be passed over: weights, networks and revisions that do not apply."""
    place = where("models", name, "weights")
    if "weights" in text and source != "torchvision":
        raise UsageError(
            f"{place}: `weights` replaces the weights of a torchvision architecture; "
            f"{name!r} is from {source}."
        )
    if "weights" in text and "revision" in text:
        raise UsageError(f"{place}: `weights` replaces those of a `revision`.", remedy="keep one")
    if "architecture" in text and source not in ("file", "url"):
        raise UsageError(
            f"{where('models', name, 'architecture')}: `architecture` is the network of a single "
            f"weights file; {name!r} is from {source}."
        )
    if "sha256" in text and source != "url":
        raise UsageError(
            f"{where('models', name, 'sha256')}: `sha256` is of the file behind a URL; {name!r} is "
            f"from {source}."
        )
    loading = [key for key in ("task", "auto_class", "dtype") if key in text]
    if loading and source == "lut":
        raise UsageError(
            f"{where('models', name, loading[0])}: `{loading[0]}` is for transformers; {name!r} is "
            "a LUT network."
        )
    if "revision" in text and source not in REVISIONED:
        raise UsageError(f"{where('models', name, 'revision')}: {source} has no revisions.")
