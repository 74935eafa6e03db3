"""`source:name[@revision]` as a value; an explicit source is never second-guessed.

A name without a source is the catalog's to explain (`catalog.naming`).
"""

import re
from dataclasses import dataclass, replace

from pytest_potmodels import addresses
from pytest_potmodels.errors import UnknownNameError, UsageError

SOURCES = ("huggingface", "torchvision", "pytorch_hub", "url", "package", "file", "lut", "mock")
SOURCE_ALIASES = {"hf": "huggingface"}
#: Sources whose models are used where they lie: no network, no copy.
IN_PLACE = frozenset({"package", "file", "lut"})

#: What sources call the revision that is meant where none is named.
DEFAULT_REVISIONS = {"huggingface": "main", "torchvision": "DEFAULT", "pytorch_hub": "HEAD"}
#: Sources whose names may end in `@revision`; elsewhere an `@` belongs to the name.
REVISIONED = frozenset({"huggingface", "torchvision", "pytorch_hub"})
_SOURCE_LIKE = re.compile(r"[A-Za-z][A-Za-z0-9_-]+")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]*")
_NAMES = {
    # The hub's own rule: letters, digits, '-', '_', '.', one '/', no '..' or '--' at the ends.
    # Behind a ':' one file of the repository.
    "huggingface": re.compile(
        r"[A-Za-z0-9_][\w.-]*(/[A-Za-z0-9_][\w.-]*)?(:\w[\w.+-]*(/\w[\w.+-]*)*)?"
    ),
    "torchvision": re.compile(r"[a-z][a-z0-9_]*"),
    # GitHub's owner and repository, and the name of a Python function.
    "pytorch_hub": re.compile(
        r"[A-Za-z0-9][A-Za-z0-9-]*/(?!\.\.?/)[A-Za-z0-9._-]+/[A-Za-z_][A-Za-z0-9_]*"
    ),
    "url": re.compile(r"https?://[^\s#]+"),
    "package": re.compile(r"[A-Za-z_][\w.]*(/[\w.@+-]+)*"),
    "file": re.compile(r".+"),
    # The type is the folder that the model lies in: feedforward, convnet.
    "lut": re.compile(r"(\w+/)?\w[\w.-]*"),
    "mock": re.compile(r"[a-z]+"),
}


_REMEDIES = {
    "pytorch_hub": "write pytorch_hub:OWNER/REPOSITORY/ENTRY, or OWNER/REPOSITORY:REF/ENTRY",
    "url": "write url:https://HOST/PATH, and what is promised of the file behind it: #sha256=HEX",
    "package": "write the name that `import` takes, and a folder in it: package:my_package/model",
    "lut": "write lut:NAME or lut:TYPE/NAME: lut:digits_small, lut:feedforward/digits_small",
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
    text = text.strip()
    if addresses.is_web(text):
        return checked(ModelId("url", text))
    head, colon, rest = text.partition(":")
    if not colon:
        return None
    source = SOURCE_ALIASES.get(head.lower(), head.lower())
    if source not in SOURCES:
        raise _unknown_source(head, text)
    if addresses.is_web(rest) and source != "url":
        raise UsageError(
            f"{addresses.shown(rest)!r} is a URL, and {source} takes names.",
            remedy="write the URL by itself",
        )
    name, revision = split_revision(rest) if source in REVISIONED else (rest, None)
    if source == "pytorch_hub" and ":" in name:
        name, revision = _ref_inside(name, revision)
    return checked(ModelId(source, name, revision))


def split_file(model_id: ModelId) -> tuple[ModelId, str]:
    """The repository that a Hugging Face id names, and the file in it; "" for the model itself."""
    if model_id.source != "huggingface":
        return model_id, ""
    name, _, file = model_id.name.partition(":")
    return replace(model_id, name=name), file


def file_in(model_id: ModelId, path: str) -> ModelId:
    """The id of one file of a Hugging Face repository.

    Raises:
        UsageError: a path that cannot be meant.
    """
    repository, _ = split_file(model_id)
    return checked(replace(repository, name=f"{repository.name}:{path}"))


def split_revision(text: str) -> tuple[str, str | None]:
    """Split `name@revision` at the first `@`."""
    name, at, revision = text.partition("@")
    if at and not revision:
        raise UsageError(f"{text!r} ends in '@' without a revision.", remedy="write NAME@REVISION")
    return name, revision or None


def _ref_inside(name: str, revision: str | None) -> tuple[str, str]:
    """Take `owner/repo:ref/entry` apart, as torch.hub writes it; a ref may hold slashes."""
    repository, _, rest = name.partition(":")
    ref, _, entry = rest.rpartition("/")
    if revision is not None or not ref:
        raise UsageError(
            f"{name!r} {'names two revisions' if ref else 'has no entry point behind its ref'}.",
            remedy="write OWNER/REPOSITORY:REF/ENTRY, or OWNER/REPOSITORY/ENTRY@REF",
        )
    return f"{repository}/{entry}", ref


def checked(model_id: ModelId) -> ModelId:
    """Return the id if its name and revision are well-formed for its source.

    Raises:
        UsageError: they are not; the message shows which part.
    """
    name, revision = model_id.name, model_id.revision
    if not _NAMES[model_id.source].fullmatch(name) or _climbs(model_id) or not _is_plain(model_id):
        raise UsageError(
            f"{_shown(name)!r} is not a well-formed {model_id.source} name.",
            remedy=_REMEDIES.get(model_id.source, ""),
        )
    if revision is not None and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise UsageError(f"{revision!r} is not a well-formed revision (of {name!r}).")
    return model_id


def _climbs(model_id: ModelId) -> bool:
    """Whether a name reaches out of its folder; a `file:` path is the user's own and may."""
    return model_id.source != "file" and ".." in model_id.name.split("/")


def _is_plain(model_id: ModelId) -> bool:
    """Whether a URL is a name as it stands: no credentials, signature or fragment in it."""
    if model_id.source != "url":
        return True
    try:
        return addresses.plain(model_id.name) == model_id.name
    except ValueError:
        return False


def _shown(name: str) -> str:
    return addresses.shown(name) if "://" in name else name


def _unknown_source(head: str, text: str) -> UsageError:
    if text.startswith(f"{head}://"):
        return UsageError(
            f"{addresses.shown(text)!r} cannot be fetched: models come by https://, not {head}://.",
            remedy="write url:https://HOST/PATH; for a file on this machine file:PATH",
        )
    if not _SOURCE_LIKE.fullmatch(head):
        return UsageError(f"{text!r} is no model name.", remedy="write SOURCE:NAME, or file:PATH")
    known = (*SOURCES, *SOURCE_ALIASES)
    return UnknownNameError(
        "source", head, known, remedy=f"sources are {', '.join(SOURCES)}; a path is file:PATH"
    )
