"""Why a name means a model: the table, alias or rule that says so, and where it is written."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from pytest_potmodels import identifiers
from pytest_potmodels.addresses import displayed
from pytest_potmodels.catalog import web
from pytest_potmodels.catalog.entries import Where
from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.catalog.torchvision_weights import architectures

_SHIPPED = "catalog.toml"


@dataclass(frozen=True)
class Because:
    """One step from a name to a model."""

    what: str
    said: str
    #: `file:line`, or the shipped catalog's table; "" for a rule.
    where: str = ""


@dataclass(frozen=True)
class Explaining:
    """A catalog, and the user's own tables, which say where they are written."""

    catalog: Catalog
    own: Mapping[str, Mapping[str, Any]]
    where: Where

    def group(self, name: str) -> Iterator[tuple[Because, str]]:
        """The models of a preset or collection, each with the step that leads to it.

        Raises:
            UnknownNameError: neither a preset nor a collection.
        """
        if name not in self.catalog.presets:
            for model in self.catalog.group(name):
                yield Because("collection", f"{name} has {model!r}", _SHIPPED), model
            return
        for kind, model in self.catalog.presets[name].items():
            place = self._place("presets", name, kind)
            yield Because("preset", f"{name}'s {kind} model is {model!r}", place), model

    def name(self, text: str) -> list[Because]:
        """The steps from a model's name to its id.

        Raises:
            UsageError: a name that nothing explains.
        """
        entry = self.catalog.entry(text)
        return [*self._steps(text), Because("means", str(entry.id))]

    def _steps(self, text: str) -> Iterator[Because]:
        if web.read(text) is not None or identifiers.parse(text) is not None:
            said = f"{displayed(text)!r} names its source: nothing is looked up"
            yield Because("identifier", said)
            return
        name, revision = identifiers.split_revision(text.strip())
        if name not in self.catalog.models and name in self.catalog.aliases:
            alias = self.catalog.aliases[name]
            yield Because("alias", f"{name!r} is {alias!r}", f"{_SHIPPED} [aliases]")
            name = alias
        yield self._bare(name)
        if revision is not None:
            yield Because("revision", f"{revision!r} stands in the name")

    def _bare(self, name: str) -> Because:
        """What a name without a source is, in the order in which they are tried."""
        if name in self.catalog.models:
            return Because("catalog", f"{name!r} is a model", self._place("models", name))
        if name in architectures():
            return Because("rule", f"{name!r} is an architecture of torchvision")
        if self.catalog.is_lut(name):
            return Because("rule", f"{name!r} is a LUT network of this machine")
        rule = "an id with a /" if "/" in name else "one of the hub's ids without an organisation"
        return Because("rule", f"{name!r} is {rule}: Hugging Face")

    def _place(self, *keys: str) -> str:
        if _has(self.own, keys):
            return self.where(*keys)
        shipped = tomllib.loads((files(__package__) / _SHIPPED).read_text(encoding="utf-8"))
        table = f"[{'.'.join(keys[:2])}]"
        return f"{_SHIPPED} {table}" if _has(shipped, keys) else f"an installed package's {table}"


def _has(table: Mapping[str, Any], keys: tuple[str, ...]) -> bool:
    found: Any = table
    for key in keys:
        if not isinstance(found, Mapping) or key not in found:
            return False
        found = found[key]
    return True
