"""A lock as text: sorted, one fact per line, the same on every machine."""

import json
from collections.abc import Iterable, Iterator

from pytest_potmodels.lockfile.entries import VERSION, LockedFile, LockedModel

_HEAD = f"""\
# The models of this project, each with the revision and the bytes that it was tested with.
# Generated: do not edit. To change what is pinned: potmodels lock --update
version = {VERSION}
"""


def as_text(models: Iterable[LockedModel]) -> str:
    """The text of a lock file with these models, whatever their order."""
    ordered = sorted(models, key=lambda model: model.key)
    return "".join([_HEAD, *("\n" + "\n".join(_model(model)) + "\n" for model in ordered)])


def _model(model: LockedModel) -> Iterator[str]:
    yield "[[model]]"
    yield f"source = {_text(model.source)}"
    yield f"id = {_text(model.id)}"
    for key in ("names", "aliases"):
        if words := getattr(model, key):
            yield f"{key} = [{', '.join(map(_text, words))}]"
    for key in ("ref", "revision", "architecture", "weights", "license"):
        if (value := getattr(model, key)) is not None:
            yield f"{key} = {_text(value)}"
    yield f"gated = {str(model.gated).lower()}"
    yield "files = ["
    yield from map(_file, sorted(model.files))
    yield "]"


def _file(file: LockedFile) -> str:
    url = f", url = {_text(file.url)}" if file.url else ""
    facts = f"path = {_text(file.path)}, size = {file.size}, sha256 = {_text(file.sha256)}"
    return f"    {{ {facts}{url} }},"


def _text(value: str) -> str:
    # JSON's strings are TOML's. Half of a surrogate pair is no text in either. What upstream wrote
    # is not to turn a reader's diff round, or hide in it.
    whole = value.encode("utf-8", "replace").decode("utf-8")
    return "".join(map(_shown, json.dumps(whole, ensure_ascii=False)))


def _shown(sign: str) -> str:
    return sign if sign.isprintable() else f"\\U{ord(sign):08x}"
