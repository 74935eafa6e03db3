"""`source:name[@revision]` as a value; an explicit source is never second-guessed.

A name without a source is the catalog's to explain (`catalog.naming`).
"""

import re
from dataclasses import dataclass

from pytest_potmodels.errors import UnknownNameError, UsageError

SOURCES = ("huggingface", "torchvision", "package", "file", "mock")
SOURCE_ALIASES = {"hf": "huggingface"}

#: What sources call the revision that is meant where none is named.
DEFAULT_REVISIONS = {"huggingface": "main", "torchvision": "DEFAULT"}
#: Sources whose names may end in `@revision`; elsewhere an `@` belongs to the name.
REVISIONED = frozenset({"huggingface", "torchvision"})
_SOURCE_LIKE = re.compile(r"[A-Za-z][A-Za-z0-9_-]+")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]*")
_NAMES = {
    # The hub's own rule: letters, digits, '-', '_', '.', one '/', no '..' or '--' at the ends.
    "huggingface": re.compile(r"[A-Za-z0-9_][\w.-]*(/[A-Za-z0-9_][\w.-]*)?"),
    "torchvision": re.compile(r"[a-z][a-z0-9_]*"),
    "package": re.compile(r"[A-Za-z_][\w.]*(/[\w.@+-]+)*"),
    "file": re.compile(r".+"),
    "mock": re.compile(r"[a-z]+"),
}


_REMEDIES = {
    "package": "write the name that `import` takes, and a folder in it: package:my_package/model"
}


@dataclass(frozen=True, order=True)
class ModelId:
    """A model: where from, which, and at which revision (None: the source's default)."""

    source: str
    name: str
    revision: str | None = None

    def __str__(self) -> str:
        suffix = f"@{self.revision}" if self.revision else ""
        return f"{self.source}:{self.name}{suffix}"


def parse(text: str) -> ModelId | None:
    """Read an identifier that names its source; None when it names none.

    Raises:
        UnknownNameError: a source that does not exist.
        UsageError: an empty or malformed name or revision.
    """
    head, colon, rest = text.strip().partition(":")
    if not colon:
        return None
    source = SOURCE_ALIASES.get(head.lower(), head.lower())
    if source not in SOURCES:
        raise _unknown_source(head, text)
    name, revision = split_revision(rest) if source in REVISIONED else (rest, None)
    return checked(ModelId(source, name, revision))


def split_revision(text: str) -> tuple[str, str | None]:
    """Split `name@revision` at the first `@`."""
    name, at, revision = text.partition("@")
    if at and not revision:
        raise UsageError(f"{text!r} ends in '@' without a revision.", remedy="write NAME@REVISION")
    return name, revision or None


def checked(model_id: ModelId) -> ModelId:
    """Return the id if its name and revision are well-formed for its source.

    Raises:
        UsageError: they are not; the message shows which part.
    """
    name, revision = model_id.name, model_id.revision
    if not _NAMES[model_id.source].fullmatch(name) or _climbs(model_id):
        raise UsageError(
            f"{name!r} is not a well-formed {model_id.source} name.",
            remedy=_REMEDIES.get(model_id.source, ""),
        )
    if revision is not None and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise UsageError(f"{revision!r} is not a well-formed revision (of {name!r}).")
    return model_id


def _climbs(model_id: ModelId) -> bool:
    """Whether a name reaches out of its folder; a `file:` path is the user's own and may."""
    return model_id.source != "file" and ".." in model_id.name.split("/")


def _unknown_source(head: str, text: str) -> UsageError:
    if not _SOURCE_LIKE.fullmatch(head):
        return UsageError(f"{text!r} is no model name.", remedy="write SOURCE:NAME, or file:PATH")
    known = (*SOURCES, *SOURCE_ALIASES)
    return UnknownNameError(
        "source", head, known, remedy=f"sources are {', '.join(SOURCES)}; a path is file:PATH"
    )
