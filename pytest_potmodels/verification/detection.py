"""Of which type a model is, and what told so."""

from dataclasses import dataclass
from typing import Literal

from pytest_potmodels.artifacts import Repository

Rule = Literal["override", "config.json", "hub", "name", "architecture", "none"]

#: A part of a name -> the type; the first that fits decides. It is what is left where neither
#: the model's own configuration nor the hub says anything.
NAMES = (
    ("bert", "bert"),
    ("t5", "t5"),
    ("gpt", "gpt"),
    ("vit", "vit"),
    ("vision", "vit"),
    ("clip", "clip"),
    ("whisper", "whisper"),
    ("wav2vec", "wav2vec2"),
)


@dataclass(frozen=True)
class Detected:
    """A type, and the rule that fired; "" and "none" where nothing told."""

    model_type: str = ""
    rule: Rule = "none"


def detect(
    name: str,
    *,
    override: str | None = None,
    configured: str = "",
    architecture: str = "",
    repository: Repository | None = None,
    known: frozenset[str] = frozenset(),
) -> Detected:
    """The type of a model, by the first of these that says it.

    Args:
        name: as it was asked for.
        override: what the caller says.
        configured: `model_type` of the model's own config.json, where it is at hand.
        architecture: of a network that is no repository's.
        repository: what the hub says, config.json as the hub has read it included.
        known: types that a tag of the hub may name.
    """
    if override:
        return Detected(override, "override")
    if architecture:
        return Detected(architecture, "architecture")
    if said := configured or (repository.model_type if repository else ""):
        return Detected(said, "config.json")
    if told := _of_hub(repository, known):
        return Detected(told, "hub")
    bare = name.partition("@")[0].lower()
    found = next((model_type for part, model_type in NAMES if part in bare), "")
    return Detected(found, "name") if found else Detected()


def _of_hub(repository: Repository | None, known: frozenset[str]) -> str:
    """The hub tags a model with its type, among much else; its library is one for timm."""
    if repository is None:
        return ""
    told = [tag for tag in repository.tags if tag in known]
    return told[0] if len(told) == 1 else ""
