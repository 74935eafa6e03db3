"""Aligned weights: made once for all processes, made again when damaged, mistrusted."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from loading.same import Machine, assert_same, stock
from torch import nn

from pytest_potmodels import loading
from pytest_potmodels.artifacts import LoadOptions, StoredModel, state_checksum
from pytest_potmodels.store import derived_manifest
from pytest_potmodels.store.layout import MANIFEST, Layout

Saved = Callable[[str], StoredModel]
CHILD = str(Path(__file__).with_name("child_original.py"))


# ---- Several processes ------------------------------------------------------------------------


def start(stored: StoredModel, machine: Machine, **order: Any) -> subprocess.Popen[str]:
    said = {"folder": str(stored.path), "cache": str(machine.cache), **order}
    pipe = subprocess.PIPE
    command = [sys.executable, CHILD, json.dumps(said)]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def outcome(child: subprocess.Popen[str]) -> dict[str, Any]:
    said, errors = child.communicate("go\n", timeout=120)
    assert child.returncode == 0, errors
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


@pytest.mark.slow
def test_processes_that_want_it_at_once_make_it_once(
    tiny_bert: Path, store: Any, machine: Machine
) -> None:
    stored = store(tiny_bert)
    with ExitStack() as stack:
        children = [stack.enter_context(start(stored, machine)) for _ in range(3)]
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n", child.communicate()
        for child in children:
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
        found = [outcome(child) for child in children]
    assert sorted(each["built"] for each in found) == [0, 0, 1]
    assert {each["checksum"] for each in found} == {stock(stored).checksum}
    assert {each["not_mapped"] for each in found} == {""}
    assert len(machine.derived.all()) == 1
    assert len({each["inode"] for each in found}) == 1


# ---- Disks ------------------------------------------------------------------------------------


@pytest.fixture
def mount() -> Iterator[Callable[..., None]]:
    mounted: list[str] = []

    def run(place: Path, *how: str) -> None:
        try:
            subprocess.run(["mount", *how, str(place)], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("no right to mount here")
        if str(place) not in mounted:
            mounted.append(str(place))

    yield run
    for place in reversed(mounted):
        subprocess.run(["umount", "-l", place], check=True)


Mount = Callable[..., None]


@pytest.fixture
def read_only(machine: Machine, mount: Mount) -> Callable[[], None]:
    def close() -> None:
        machine.cache.mkdir(exist_ok=True)
        mount(machine.cache, "--bind", str(machine.cache))
        mount(machine.cache, "-o", "remount,bind,ro", str(machine.cache))

    return close


def test_where_the_cache_is_read_only_it_is_made_in_the_second_folder(
    tiny_bert: Path, store: Any, machine: Machine, read_only: Callable[[], None], tmp_path: Path
) -> None:
    stored = store(tiny_bert)
    read_only()
    machine.second = tmp_path / "second"
    for _ in range(2):
        assert machine.load(stored).not_mapped == ""
    assert machine.made().path.parent == machine.second
    assert len(machine.built) == 1


def test_what_a_read_only_cache_has_is_mapped(
    tiny_bert: Path, store: Any, machine: Machine, read_only: Callable[[], None]
) -> None:
    stored = store(tiny_bert)
    machine.load(stored)
    read_only()
    assert machine.load(stored).not_mapped == ""
    assert len(machine.built) == 1


def test_where_nothing_can_be_written_models_are_copied_and_it_is_said(
    tiny_bert: Path, store: Any, machine: Machine, read_only: Callable[[], None], tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    stored = store(tiny_bert)
    read_only()
    (tmp_path / "file").write_bytes(b"")
    machine.second = tmp_path / "file" / "second"
    originals = machine.originals()
    assert_pristine_in_memory(originals, stored)
    loaded = originals.load(stored, LoadOptions(), device="cpu")
    assert "cannot be stored in" in loaded.not_mapped
    assert "Read-only file system" in loaded.not_mapped
    assert "POT_DERIVED_DIR" in loaded.not_mapped
    assert caplog.text.count("is not mapped, each test gets a slow copy") == 1


def assert_pristine_in_memory(originals: Any, stored: StoredModel) -> None:
    expected = stock(stored).checksum
    for _ in range(3):
        loaded = originals.load(stored, LoadOptions(), device="cpu")
        assert loaded.checksum == expected
        for parameter in loaded.model.parameters():
            parameter.data.zero_()
        loaded.model.pooler = nn.Identity()
        originals.settle()


@pytest.mark.parametrize("pages", [20, 60])
def test_on_a_full_disk_models_are_copied_and_it_is_said(
    pages: int, tiny_bert: Path, store: Any, machine: Machine, mount: Mount
) -> None:
    """Before it is written, as far as the size is known; and midway."""
    stored = store(tiny_bert)
    machine.cache.mkdir()
    mount(machine.cache, "-t", "tmpfs", "-o", f"size={pages * 4096}", "none")
    if pages == 60:  # Less is said to be needed than is.
        stored = replace(stored, files=tuple(replace(file, size=0) for file in stored.files))
    originals = machine.originals()
    assert_pristine_in_memory(originals, stored)
    loaded = originals.load(stored, LoadOptions(), device="cpu")
    assert "does not take derived files" in loaded.not_mapped
    assert machine.derived.all() == []
    assert not list(Layout.at(machine.cache).partial.glob("*"))


# ---- Damage -----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["flipped", "cut", "gone"])
def test_damaged_weights_are_made_again_and_it_is_said(
    how: str, tiny_bert: Path, store: Any, machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    stored = store(tiny_bert)
    expected = machine.load(stored).checksum
    weights = machine.made().path / "weights.pt"
    content = weights.read_bytes()
    weights.unlink()
    if how == "flipped":
        middle = len(content) // 2
        weights.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    elif how == "cut":
        weights.write_bytes(content[:1000])
    machine.built.clear()
    assert machine.load(stored).checksum == expected
    assert len(machine.built) == 1
    assert "set aside, made again when needed" in caplog.text
    assert (machine.made().path / "weights.pt").read_bytes() == content


def test_what_was_made_can_be_removed_while_it_is_in_use(
    tiny_bert: Path, store: Any, machine: Machine
) -> None:
    originals, stored = machine.originals(), store(tiny_bert)
    loaded = originals.load(stored, LoadOptions(), device="cpu")
    machine.derived.remove(machine.made())
    again = originals.load(stored, LoadOptions(), device="cpu")
    assert again.checksum == loaded.checksum == machine.load(stored).checksum


def test_whatever_decides_how_a_model_is_built_has_weights_of_its_own(
    tiny_bert: Path, store: Any, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = store(tiny_bert)
    machine.load(stored)
    machine.load(stored, dtype="bfloat16")
    machine.load(stored, task="fill-mask")
    machine.load(stored, seed=1)
    machine.load(replace(stored, revision="main"))
    loader: Any = loading.loader_of("transformers")
    monkeypatch.setattr(loader, "versions", lambda: {"torch": "99", "transformers": "99"})
    machine.load(stored)
    (tiny_bert / "config.json").write_text(
        (tiny_bert / "config.json").read_text(encoding="utf-8") + " ", encoding="utf-8"
    )
    machine.load(store(tiny_bert))
    assert len(machine.derived.all()) == len(machine.built) == 7


def test_the_file_is_one_that_torch_reads(tiny_bert: Path, store: Any, machine: Machine) -> None:
    loaded = machine.load(store(tiny_bert))
    weights = machine.made().path / "weights.pt"
    state = torch.load(weights, weights_only=True)
    assert {"embeddings.position_ids"} <= set(state) - set(loaded.model.state_dict())
    kept = {name: state[name] for name in loaded.model.state_dict()}
    assert state_checksum(kept) == loaded.checksum
    assert not os.access(weights, os.W_OK) or os.geteuid() == 0


# ---- Facts that cannot be meant ---------------------------------------------------------------


def tampered(machine: Machine, **facts: Any) -> None:
    """Rewrite what a derived manifest says; its own digest and its files are in order."""
    made = machine.made()
    said = {name: v for name, v in {**made.facts, **facts}.items() if v != "absent"}
    manifest = made.path / MANIFEST
    manifest.unlink()
    derived_manifest.write(replace(made, facts=said), manifest)


ROW = {"names": ["weight"], "dtype": "float32", "shape": [4], "begin": 0}


@pytest.mark.parametrize(
    "facts",
    [
        {"own": "../outside"},
        {"own": "/etc/passwd"},
        {"own": "config.json"},
        {"own": 7},
        {"own": "absent"},
        {"tensors": []},
        {"tensors": "absent"},
        {"tensors": None},
        {"tensors": [ROW]},
        {"tensors": [{**ROW, "begin": 2**40}]},
        {"tensors": [{**ROW, "begin": -64}]},
        {"loader": "absent"},
        {"differs": "absent"},
    ],
    ids=str,
)
def test_a_derived_manifest_that_cannot_be_meant_does_no_harm(
    facts: dict[str, Any], tiny_bert: Path, store: Any, machine: Machine,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    (tiny_bert.parent / "outside").write_bytes(bytes(10_000_000))
    stored = store(tiny_bert)
    expected = machine.load(stored).checksum
    tampered(machine, **facts)
    loaded = machine.load(stored)
    assert loaded.checksum == expected
    assert loaded.not_mapped
    assert "is not mapped" in caplog.text


def test_a_manifest_that_says_alike_of_another_network_does_no_harm(
    saved: Saved, machine: Machine
) -> None:
    stored = saved("bert")
    expected = machine.load(stored).checksum
    tampered(machine, loader={"newly_initialised": []})
    assert machine.load(stored).checksum == expected


def test_a_skeleton_that_fails_gives_way_to_the_stock_loader(
    tiny_bert: Path, store: Any, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is installed may change between two processes, and constructors ask for it."""
    stored = store(tiny_bert)
    expected = machine.load(stored)
    machine.built.clear()

    def fail(*_: object, **__: object) -> nn.Module:
        raise RuntimeError("no kernels here")

    monkeypatch.setattr(loading.loader_of("transformers"), "skeleton", fail)
    loaded = machine.load(stored)
    assert_same(loaded, expected, {"input_ids": torch.tensor([[2, 5, 3]])})
    assert len(machine.built) == 1
