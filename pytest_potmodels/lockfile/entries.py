"""What a lock file holds, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

from pytest_potmodels.addresses import without_secrets
from pytest_potmodels.artifacts import Kind, ModelRequest, StoredModel
from pytest_potmodels.identifiers import DEFAULT_REVISIONS, REVISIONED, ModelId

#: The form of the file; another one is of another version of this package.
VERSION = 1
#: Sources whose URLs follow from the id, and name the hub or mirror that was asked.
_NO_URLS = frozenset({"huggingface"})

#: One entry: source, id, the revision as it was asked for.
Key = tuple[str, str, str]


@dataclass(frozen=True, order=True)
class LockedFile:
    """One file of a model, and the line that says so."""

    path: str
    size: int
    sha256: str
    url: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True)
class LockedModel:
    """One model at one revision."""

    source: str
    #: The name within the source; the canonical one where a model has several.
    id: str
    #: The names by which it was locked, as people wrote them.
    names: tuple[str, ...] = ()
    #: Other ids of the same model within the source.
    aliases: tuple[str, ...] = ()
    #: The branch or tag that was pinned, or the commit itself; None where there is no such thing.
    ref: str | None = None
    #: What it was pinned to: a commit, the name of weights, the version of a package.
    revision: str | None = None
    architecture: str | None = None
    #: The URL of weights of the user's own.
    weights: str | None = None
    license: str = "unknown"
    gated: bool = False
    files: tuple[LockedFile, ...] = ()
    line: int = field(default=0, compare=False)

    @property
    def key(self) -> Key:
        """What no two entries share; the order of the file."""
        return (self.source, self.id, self.ref or "")

    @property
    def ids(self) -> frozenset[str]:
        """All ids of the model within its source."""
        return frozenset({self.id, *self.aliases})

    def __str__(self) -> str:
        return str(ModelId(self.source, self.id))

    def request(self) -> ModelRequest:
        """The request for this entry, at its pin."""
        pinned = self.source in REVISIONED and self.weights is None
        assumed: Kind = "vision" if self.architecture else "language"
        return ModelRequest(
            id=ModelId(self.source, self.id, self.revision if pinned else self.ref),
            asked=self.names[0] if self.names else str(self),
            kind="lut" if self.source == "lut" else assumed,
            weights=self.weights,
            architecture=self.architecture if self.source in ("file", "url") else None,
        )


@dataclass(frozen=True)
class Lock:
    """A lock file."""

    path: Path
    models: tuple[LockedModel, ...] = ()

    def where(self, part: LockedModel | LockedFile) -> str:
        """`file:line` of what was read from it."""
        return f"{self.path}:{part.line}" if part.line else str(self.path)


def ref_of(model_id: ModelId) -> str | None:
    """The revision that is asked for, by its name also where nobody wrote it: `main`."""
    return model_id.revision or DEFAULT_REVISIONS.get(model_id.source)


def locked(
    stored: StoredModel,
    request: ModelRequest,
    names: tuple[str, ...],
    historic: Mapping[str, str],
) -> LockedModel:
    """The entry of a model on disk, for a request whose revision is as it was written.

    `historic` has the hub's old ids and what they are now, whatever this cache has seen of them.
    """
    name = _canonical(stored, historic)
    urls = not stored.in_place and stored.id.source not in _NO_URLS
    files = (
        LockedFile(file.path, file.size, file.sha256, file.url if urls else "")
        for file in stored.files
    )
    return LockedModel(
        source=stored.id.source,
        id=name,
        names=tuple(sorted(set(names))),
        aliases=_aliases(name, request.id, historic),
        ref=ref_of(request.id),
        revision=stored.revision,
        architecture=stored.architecture or request.architecture,
        weights=without_secrets(request.weights) if request.weights else None,
        license=stored.license,
        gated=stored.gated,
        files=tuple(sorted(files)),
    )


def with_names(model: LockedModel, other: LockedModel) -> LockedModel:
    """The entry with the names and aliases of both."""
    return replace(
        model,
        names=tuple(sorted({*model.names, *other.names})),
        aliases=tuple(sorted({*model.aliases, *other.aliases} - {model.id})),
    )


def _canonical(stored: StoredModel, historic: Mapping[str, str]) -> str:
    """The id that its origin has: which one an entry is called by depends on who came first."""
    ids = sorted({stored.id.name, *stored.aliases}, key=lambda name: (-len(name), name))
    at_origin = [name for name in ids if stored.origin.endswith(f"/{quote(name)}")]
    name = at_origin[0] if at_origin else stored.id.name
    return historic.get(name, name) if stored.id.source == "huggingface" else name


def _aliases(name: str, asked: ModelId, historic: Mapping[str, str]) -> tuple[str, ...]:
    old = {each for each, now in historic.items() if now == name}
    known = old if asked.source == "huggingface" else set()
    return tuple(sorted((known | {asked.name}) - {name}))
