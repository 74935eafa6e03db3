"""The rows of a session's ledger as a file that other programs read: JSON."""

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from pytest_potmodels import __version__
from pytest_potmodels.session.ledger import Row
from pytest_potmodels.settings.values import Settings

#: The form of the file.
SCHEMA = 1
#: Packages whose versions may change what a model answers.
_PACKAGES = (
    "pytest", "pytest-xdist", "torch", "torchvision", "transformers", "safetensors", "tokenizers",
    "numpy", "huggingface_hub", "onnxruntime",
)  # fmt: skip


def as_json(rows: Sequence[Row], settings: Settings, *, exit_status: int) -> str:
    """The report as text: rows sorted, whatever worker they came from."""
    report = {
        "schema": SCHEMA,
        "environment": _environment(),
        "preset": settings.preset,
        "settings": settings.non_defaults(),
        "lock": _lock(settings.lock, only=settings.locked),
        "exit_status": exit_status,
        "counts": dict(sorted(Counter(row.outcome for row in rows).items())),
        "rows": [asdict(row) for row in sorted(rows, key=_order)],
    }
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


def _order(row: Row) -> tuple[str, int, str, str, str, str]:
    return (row.test, row.attempt, row.asked, row.kind, row.form, row.outcome)


def _environment() -> dict[str, Any]:
    return {
        "pytest_potmodels": __version__,
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        "packages": {name: version for name in _PACKAGES if (version := _version(name))},
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _lock(path: Path | None, *, only: bool) -> dict[str, Any] | None:
    if path is None:
        return None
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
    return {"path": path.name, "sha256": digest, "locked": only}
