"""Processes that prune one cache while others fill, list, verify and use it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHILD = str(Path(__file__).with_name("child_prune.py"))
NAMES = [f"huggingface:org/m{number}" for number in range(4)]


@pytest.mark.parametrize(
    "seconds", [4, pytest.param(60, marks=pytest.mark.slow)], ids=["briefly", "for a minute"]
)
def test_two_processes_prune_download_list_and_verify_one_cache(
    machine: Any, tmp_path: Path, seconds: int
) -> None:
    for number, name in enumerate(NAMES):
        files = {"config.json": b"{}", "model.safetensors": bytes([number]) * 100_000}
        machine.site.add_repo(name.partition(":")[2], files)
    environ = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("POT_", "HF_"))},
        **machine.site.environ(),
        "POT_CACHE_DIR": str(machine.cache),
        "HF_HOME": str(tmp_path / "hf"),
    }
    children = [
        subprocess.Popen(
            [sys.executable, CHILD, str(seconds), str(seed), *NAMES],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
            cwd=tmp_path,
        )
        for seed in (1, 2)
    ]
    ended = [(*child.communicate(timeout=seconds + 60), child.returncode) for child in children]
    assert [code for _, _, code in ended] == [0, 0], ended
    done = [json.loads(out) for out, _, _ in ended]
    assert sum(each["removed"] for each in done) > 0, done
    assert all(each[what] for each in done for what in ("prune", "download", "use")), done
    store = machine.store
    assert [store.verify(entry, whole=True) for entry in store.entries()] == [()] * len(
        store.entries()
    )
    assert (store.damaged_entries(), store.leftovers()) == ([], [])
    assert list(store.layout.leases.iterdir()) == []
