"""That a repository has no such file, at a commit: it never will, so nobody asks again."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pytest_potmodels.artifacts import Repository, StoredModel
from pytest_potmodels.errors import StoreError
from pytest_potmodels.opening import open_derived
from pytest_potmodels.pipeline import Pipeline

#: Seconds to wait for another process that writes down the same.
_PATIENCE = 5.0


def is_known(pipeline: Pipeline, stored: StoredModel | None, paths: Sequence[str]) -> bool:
    """Whether the commit of an entry was looked at before, and has none of these files."""
    if not paths:
        return True
    if stored is None or stored.revision is None:
        return False
    return open_derived(pipeline.settings).find(_key(stored, paths)) is not None


def remember(
    pipeline: Pipeline, stored: StoredModel | None, paths: Sequence[str], looked_at: Repository
) -> None:
    """Write down that none of these is there, if there is a place to write to."""
    if not paths or stored is None or stored.revision != looked_at.revision:
        return

    def write(_folder: Path) -> dict[str, Any]:
        return {"absent": list(paths), "files": sorted(looked_at.files)}

    with suppress(StoreError):
        derived = open_derived(pipeline.settings)
        derived.admit(_key(stored, paths), stored, {}, write, timeout=_PATIENCE)


def _key(stored: StoredModel, paths: Sequence[str]) -> str:
    facts = [stored.id.name, stored.revision, *paths]
    return f"absent-{hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:20]}"
