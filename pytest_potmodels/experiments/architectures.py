"""Which model an experiment's `model_type` and `model_architecture` mean."""

from dataclasses import dataclass

from pytest_potmodels.artifacts import Kind
from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.errors import UnknownNameError


@dataclass(frozen=True)
class Meant:
    """A preset's model, or, where `preset` is empty, the model of that name."""

    kind: Kind
    name: str
    preset: str = ""


def model_meant(architecture: str, kind: Kind, catalog: Catalog) -> Meant:
    """The model that the words mean.

    A word of the mapping means its preset: "paper" and "bert" the preset `paper`. A word that is
    a model's name as well means that model, also where somebody has given the preset another one.

    Raises:
        UnknownNameError: neither mapped, nor a preset, nor a model; with close matches.
        UsageError: a model of the other kind ("bert" for vision).
    """
    words = {**{name: name for name in catalog.presets}, **catalog.architectures}
    if architecture not in words:
        _check_model(architecture, kind, catalog, words)
        return Meant(kind, architecture)
    preset = words[architecture]
    chosen = catalog.preset(preset, kind)
    if _is_model(architecture, catalog):
        named = catalog.request(architecture, kind=kind)
        if named.id != chosen.id:
            return Meant(kind, architecture)
    return Meant(kind, chosen.asked, preset)


def _is_model(word: str, catalog: Catalog) -> bool:
    try:
        catalog.request(word)
    except UnknownNameError:
        return False
    return True


def _check_model(name: str, kind: Kind, catalog: Catalog, words: dict[str, str]) -> None:
    try:
        catalog.request(name, kind=kind)
    except UnknownNameError as error:
        if error.name != name:
            raise  # A part of it is misspelt: the source, torchvision's network, its weights.
        known = (*words, *catalog.models, *catalog.aliases)
        raise UnknownNameError(
            "model architecture",
            name,
            known,
            remedy=f"one of: {', '.join(words)}; or the name of a model (potmodels catalog)",
        ) from None
