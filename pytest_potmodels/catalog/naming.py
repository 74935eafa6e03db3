"""From a name as somebody wrote it to the model that is meant; nothing is guessed.

A bare name is, in this order: the user's own entry, the catalog's, an alias, a torchvision
architecture, a LUT network, a Hugging Face id (with `/`, or one of the historic ids without
organisation). PyTorch Hub is never tried unasked: it runs code.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from pytest_potmodels import identifiers
from pytest_potmodels.addresses import displayed
from pytest_potmodels.artifacts import Kind, LoadOptions, ModelRequest
from pytest_potmodels.catalog import lut, web
from pytest_potmodels.catalog.entries import CatalogEntry, check_published, kind_of
from pytest_potmodels.catalog.torchvision_weights import architectures
from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.identifiers import ModelId

Presets = Mapping[str, Mapping[str, str]]
#: From a request to the same at the revision that a lock has pinned.
Pinned = Callable[[ModelRequest], ModelRequest]


@dataclass(frozen=True)
class Catalog:
    """All names that are known on this machine."""

    models: Mapping[str, CatalogEntry]
    presets: Presets
    collections: Mapping[str, tuple[str, ...]]
    aliases: Mapping[str, str]
    historic: Mapping[str, str]
    architectures: Mapping[str, str]
    #: What a lock makes of a request: the same at the revision that is pinned.
    pinned: Pinned | None = None
    #: Finds the LUT networks of this machine; None: nobody has said which there are.
    find_lut: lut.Names | None = None

    def request(
        self, text: str, *, kind: str | None = None, architecture: str | None = None, **options: Any
    ) -> ModelRequest:
        """The model that a name means; `options` are fields of LoadOptions.

        Raises:
            UnknownNameError: a name that nothing explains, with close matches.
            UsageError: a malformed identifier, or a kind that contradicts the model.
        """
        entry = self.entry(text)
        chosen = {key: value for key, value in options.items() if value is not None}
        if architecture is not None:
            entry = _of_network(entry, architecture)
        request = entry.request(asked=displayed(text))
        if kind is not None:
            agreed, _ = kind_of(entry.id, kind, entry.architecture)
            if entry.kind_known and agreed != entry.kind:
                raise UsageError(f"{text!r} is a {entry.kind} model, not a {agreed} model.")
            request = replace(request, kind=agreed, kind_known=True)
        request = replace(request, options=replace(request.options, **chosen))
        return self.pinned(request) if self.pinned is not None else request

    def preset(self, preset: str, kind: Kind) -> ModelRequest:
        """The model of a preset.

        Raises:
            UnknownNameError: no such preset.
            UsageError: the preset has no model of this kind.
        """
        self.check_preset(preset)
        # A LUT network is small and lies here: there is one for all presets.
        name = self.presets[preset].get(kind, lut.DEFAULT if kind == "lut" else None)
        if name is None:
            raise UsageError(f"preset {preset!r} has no {kind} model.")
        return self.request(name, kind=kind)

    def check_preset(self, preset: str) -> None:
        """Accept the name of a preset.

        Raises:
            UnknownNameError: no such preset.
        """
        if preset not in self.presets:
            raise UnknownNameError("preset", preset, self.presets)

    def group(self, name: str) -> tuple[str, ...]:
        """The models of a preset or collection; they are one namespace.

        Raises:
            UnknownNameError: neither a preset nor a collection.
        """
        if name in self.presets:
            return tuple(self.presets[name].values())
        if name in self.collections:
            return self.collections[name]
        raise UnknownNameError("preset", name, (*self.presets, *self.collections))

    def entry(self, text: str) -> CatalogEntry:
        """The entry of a name, made up on the spot for an explicit identifier."""
        if not isinstance(text, str):
            raise UsageError(f"{text!r} is no model name, but {type(text).__name__}.")
        if (written := web.read(text)) is not None:
            return self._by_url(written)
        explicit = identifiers.parse(text)
        entry = self._explicit(explicit) if explicit is not None else self._bare(text)
        check_published(entry.id)
        if entry.id.source == "lut" and self.find_lut is not None:
            lut.check(entry.id.name, self.find_lut())
        return entry

    @property
    def lut_names(self) -> tuple[str, ...]:
        """The LUT networks of this machine, as TYPE/NAME; looked for at each call."""
        return tuple(self.find_lut()) if self.find_lut is not None else ()

    def is_lut(self, name: str) -> bool:
        """Whether a bare name is that of a LUT network."""
        return lut.is_known(name, self.lut_names)

    def _explicit(self, model_id: ModelId) -> CatalogEntry:
        entry = self._by_full_name.get((model_id.source, model_id.name))
        if entry is not None:
            # A known model under its full name: its kind is known, its options are not asked.
            return replace(entry, id=model_id, options=LoadOptions())
        kind, known = kind_of(model_id, None)
        return CatalogEntry(str(model_id), model_id, kind, kind_known=known)

    def _by_url(self, written: web.Written) -> CatalogEntry:
        """The user's own entry of that URL, with what is said here over what it says."""
        known = self._explicit(written.id)
        entry = replace(
            known,
            address=written.address or known.address,
            sha256=written.sha256 or known.sha256,
        )
        return _of_network(entry, written.architecture) if written.architecture else entry

    @cached_property
    def _by_full_name(self) -> Mapping[tuple[str, str], CatalogEntry]:
        entries = [entry for entry in self.models.values() if entry.weights is None]
        return {(entry.id.source, entry.id.name): entry for entry in reversed(entries)}

    def _bare(self, text: str) -> CatalogEntry:
        name, revision = identifiers.split_revision(text.strip())
        entry = self._known(name)
        if entry is None:
            ours = (*self.models, *self.aliases, *architectures())
            known = (*ours, *lut.short(self.lut_names), *self.historic)
            raise UnknownNameError("model", name, known, remedy=_how_to_name(name))
        if revision is None:
            return entry
        if entry.weights is not None or entry.id.source not in identifiers.REVISIONED:
            raise UsageError(
                f"{text!r}: {name} is {entry.id}, which has no other revisions.",
                remedy=f"write {name}",
            )
        return replace(entry, id=identifiers.checked(replace(entry.id, revision=revision)))

    def _known(self, name: str) -> CatalogEntry | None:
        name = self.aliases.get(name, name) if name not in self.models else name
        if name in self.models:
            return self.models[name]
        if name in architectures():
            return self._explicit(ModelId("torchvision", name))
        if self.is_lut(name):
            return self._explicit(ModelId("lut", name))
        if "/" in name or name in self.historic:
            return self._explicit(identifiers.checked(ModelId("huggingface", name)))
        return None


def _of_network(entry: CatalogEntry, architecture: str) -> CatalogEntry:
    """The entry of a single weights file, taken for those of a torchvision network.

    Raises:
        UsageError: a model that says itself which network it is, or no such network.
    """
    if entry.id.source not in ("url", "file"):
        raise UsageError(
            f"architecture={architecture!r} is the network of a single weights file; "
            f"{entry.id} says itself what it is.",
            remedy="leave it out",
        )
    known = web.checked_architecture(architecture)
    return replace(entry, architecture=known, kind="vision", kind_known=True)


def _how_to_name(name: str) -> str:
    return (
        f"`potmodels catalog` lists the names; for a Hugging Face model write huggingface:{name}"
        if name
        else "name a model"
    )
