"""Where things lie in a remote.

<remote>/
  potmodels-remote.json                          the layout's version
  objects/<2 hex>/<sha256>                       the bytes of files
  manifests/<source>/<entry>/<revision>.json     a model: its `model_info.json`
  refs/<source>/<entry>/<ref>.json               which of them a branch, tag or commit is

Objects come first, the manifest after them, refs last: what can be found is whole. Of all these
only refs change.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from pytest_potmodels.artifacts import Format
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.store.layout import entry_name, short_hash

MARKER = "potmodels-remote.json"
#: Sources whose models a remote holds, and the formats that theirs have. Code (`pytorch_hub`)
#: comes from its own repository, and what is used in place has no need of one.
HELD: Mapping[str, tuple[Format, ...]] = MappingProxyType(
    {
        "huggingface": ("transformers", "onnx"),
        "torchvision": ("torchvision",),
        "url": ("weights", "onnx"),
    }
)

_LONGEST = 100
_UNSAFE = re.compile(r"[^a-z0-9._-]")


def object_name(sha256: str) -> str:
    """The object with these bytes."""
    return f"objects/{sha256[:2]}/{sha256}"


def manifest_name(model_id: ModelId, revision: str | None, digest: str) -> str:
    """The manifest of a model at a revision; of what has none at the digest over its files."""
    return f"manifests/{_folder(model_id)}/{_file(revision or f'sha256-{digest}')}"


def ref_name(model_id: ModelId, ref: str) -> str:
    """What a ref of a model leads to; "" is the default."""
    return f"refs/{_folder(model_id)}/{_file(ref) if ref else '_default.json'}"


def _folder(model_id: ModelId) -> str:
    return f"{model_id.source}/{entry_name(model_id)}"


def _file(name: str) -> str:
    """A file name for a revision; a hash where it is not the name itself, on any file system."""
    safe = _UNSAFE.sub("-", name.lower())[:_LONGEST]
    return f"{safe}.json" if safe == name else f"{safe}-{short_hash(name)}.json"
