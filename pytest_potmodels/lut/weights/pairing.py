"""The YAML beside a file of weights: it names the file and its digest, whoever came first."""

import contextlib
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from pytest_potmodels.config_files.yaml import as_yaml, parse_document
from pytest_potmodels.digests import hash_file
from pytest_potmodels.errors import LUTError, UsageError
from pytest_potmodels.lut.configuration import ModelConfig
from pytest_potmodels.lut.configuration.documents import Document
from pytest_potmodels.lut.configuration.structural import differing_fields
from pytest_potmodels.lut.new_file import write_new
from pytest_potmodels.lut.weights import circuit

_YAML = ".yaml"
#: Keys that name a file and its digest.
_FILES = frozenset({"weights", "hardened"})


def entry(weights: Path) -> dict[str, str]:
    """What a YAML says of its file of weights."""
    return {"file": weights.name, "sha256": hash_file(weights).sha256}


def expected_sha256(weights: Path) -> str | None:
    """The digest that the YAML beside a file of weights gives it; None if there is none.

    Raises:
        LUTError: that YAML cannot be read.
    """
    config = weights.with_suffix(_YAML)
    try:
        if not config.is_file():
            return None
    except OSError:  # Nor can the weights be read then, which says why.
        return None
    named = ModelConfig.read_document(config).named_file("weights")
    return named[1] if named is not None and named[0].name == weights.name else None


def document_beside(weights: Path, config: ModelConfig) -> Document | None:
    """The YAML beside a file of weights that is to be written, if there is one.

    Raises:
        LUTError: it is of another network, so that it would lie about these weights.
    """
    path = weights.with_suffix(_YAML)
    if not path.is_file():
        return None
    document = ModelConfig.read_document(path)
    theirs = ModelConfig.from_document(document).structure()
    if other := differing_fields(theirs, config.structure()):
        raise LUTError(
            f"{path} is of another network than the weights: {', '.join(other)} differ.",
            remedy=f"another name than {weights.name}, or save_config({path.name!r}) first",
        )
    return document


@contextlib.contextmanager
def released(document: Document | None) -> Iterator[None]:
    """Have a YAML name no files while they are replaced; what it said, if the block fails."""
    if document is None or not _FILES & set(document.file.table):
        yield
        return
    before = document.file.path.read_bytes()
    _rewrite(document, {}, _FILES)
    try:
        yield
    except BaseException:
        write_new(document.file.path, before, overwrite=True)
        raise


def record(document: Document, weights: Path, sha256: str) -> None:
    """Have a YAML name its weights; comments and the order of its keys stay.

    What it said of a hardened form is said anew. Metrics of other weights go.

    Args:
        document: the YAML as it was before the weights were written.
        weights: their file.
        sha256: of that file.
    """
    changes = {
        "pretrained": True,
        "pretrained_name": weights.stem,
        "weights": {"file": weights.name, "sha256": sha256},
    }
    bits = circuit.of(weights)
    if bits.is_file() and document.extras.get("hardened"):
        changes["hardened"] = entry(bits)
    before = document.named_file("weights")
    stale = {"metrics"} if before is not None and before[1] != sha256 else set()
    _rewrite(ModelConfig.read_document(document.file.path), changes, stale)


def _rewrite(document: Document, changes: Mapping[str, Any], dropped: AbstractSet[str]) -> None:
    path = document.file.path
    kept = {key: value for key, value in document.file.table.items() if key not in dropped}
    wanted = {**kept, **changes}
    text = _without(path.read_text(encoding="utf-8-sig"), document, {*changes, *dropped})
    text += as_yaml(changes) if changes else ""
    if not _says(text, path, wanted):  # Written in a way that lines cannot be taken out of.
        text = as_yaml(wanted)
    write_new(path, text.encode(), overwrite=True)


def _says(text: str, path: Path, wanted: Mapping[str, Any]) -> bool:
    try:
        return parse_document(text, path).table == wanted
    except UsageError:
        return False


def _without(text: str, document: Document, keys: AbstractSet[str]) -> str:
    """The text without some keys of the outermost mapping."""
    starts = {line: key[0] for key, line in document.file.lines.items() if len(key) == 1}
    kept, dropping = [], False
    for number, line in enumerate(text.splitlines(), start=1):
        if number in starts:
            dropping = starts[number] in keys
        elif not line.strip() or not line[0].isspace():
            dropping = False
        if not dropping:
            kept.append(line)
    return "\n".join(kept) + "\n"
