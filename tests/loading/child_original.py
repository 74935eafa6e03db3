"""Loads a model as a process of its own, when a line comes; prints what it came to.

Usage: python child_original.py ORDER; ORDER is a JSON object: `folder`, `cache`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from pytest_potmodels import loading
from pytest_potmodels.artifacts import LoadOptions, StoredFile, StoredModel
from pytest_potmodels.digests import hash_file
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.loading.originals import Originals
from pytest_potmodels.store.derived import DerivedStore
from pytest_potmodels.store.layout import Layout

order = json.loads(sys.argv[1])
folder = Path(order["folder"])
files = tuple(
    StoredFile(path.name, path.stat().st_size, hash_file(path).sha256)
    for path in sorted(folder.iterdir())
)
stored = StoredModel(ModelId("file", str(folder)), folder, "language", "transformers", files)
loader: Any = loading.loader_of("transformers")
stock = loader.build
built: list[ModelId] = []


def build(stored: StoredModel, options: LoadOptions) -> Any:
    built.append(stored.id)
    return stock(stored, options)


loader.build = build
derived = DerivedStore(Layout.at(Path(order["cache"])))
originals = Originals(derived, budget=10**9, timeout=60, collector="keep")
sys.stdout.write("ready\n")
sys.stdout.flush()
sys.stdin.readline()
loaded = originals.load(stored, LoadOptions(), device="cpu")
(made,) = derived.all()
found = {
    "built": len(built),
    "checksum": loaded.checksum,
    "not_mapped": loaded.not_mapped,
    "inode": (made.path / "weights.pt").stat().st_ino,
}
sys.stdout.write(json.dumps(found) + "\n")
