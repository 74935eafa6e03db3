"""What is damaged is no error: it is set aside, said, and made again."""

import json
import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.store.layout import MANIFEST
from pytest_potmodels.store.locks import held

KEY = "0123abcd-aligned-1"
links = pytest.mark.skipif(os.name == "nt", reason="links take a right of their own there")


def behind_a_link(path: Path, outside: Path) -> None:
    path.rename(outside)
    path.symlink_to(outside)


def a_file_in_its_place(folder: Path, outside: Path) -> None:
    folder.rename(outside)
    folder.write_text("in its place")


def manifest_of(folder: Path, **changes: Any) -> None:
    path = folder / MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def flipped(path: Path) -> None:
    path.write_bytes(b"B" + path.read_bytes()[1:])


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


#: How a derived folder may be spoilt; the second path is free.
WAYS: Mapping[str, Callable[[Path, Path], object]] = {
    "a byte": lambda folder, _: flipped(folder / "weights.bin"),
    "cut off": lambda folder, _: cut(folder / "weights.bin"),
    "absent": lambda folder, _: (folder / "weights.bin").unlink(),
    "no manifest": lambda folder, _: (folder / MANIFEST).unlink(),
    "garbage": lambda folder, _: (folder / MANIFEST).write_bytes(b"\x00\xff{"),
    "facts": lambda folder, _: manifest_of(folder, facts={"offset": 65}),
    "escape": lambda folder, _: manifest_of(
        folder, files=[{"path": "../x", "size": 1, "sha256": "0" * 64, "url": ""}]
    ),
    "a file": a_file_in_its_place,
}
LINKS: Mapping[str, Callable[[Path, Path], object]] = {
    "a linked file": lambda folder, outside: behind_a_link(folder / "weights.bin", outside),
    "a linked folder": behind_a_link,
}
EVERY_WAY = [*WAYS, *(pytest.param(how, marks=links) for how in LINKS)]


def damage(made: Any, how: str, outside: Path) -> None:
    for path in (made.path / "weights.bin", made.path / MANIFEST):
        path.chmod(0o644)
    {**WAYS, **LINKS}[how](made.path, outside)


@pytest.mark.parametrize("how", EVERY_WAY)
def test_what_is_damaged_is_set_aside_and_said_and_made_again(
    bench: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    made = bench.admit(offset=64)
    damage(made, how, tmp_path / "outside")
    with caplog.at_level(logging.WARNING, "pytest_potmodels"):
        assert bench.store.find(KEY) is None
    assert not os.path.lexists(made.path)
    assert bench.quarantined() == [KEY]
    (said,) = caplog.messages
    assert str(made.path) in said
    assert "set aside, made again when needed" in said
    assert bench.admit(offset=64) == made
    assert bench.store.find(KEY) == made
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("how", EVERY_WAY)
def test_what_is_damaged_is_replaced_by_who_makes_it_without_a_look(
    bench: Any, tmp_path: Path, how: str
) -> None:
    made = bench.admit(offset=64)
    damage(made, how, tmp_path / "outside")
    assert bench.admit(offset=64) == made
    assert bench.store.find(KEY) == made
    assert bench.quarantined() == [KEY]


def test_damage_behind_the_old_times_is_found_by_who_reads_every_byte(bench: Any) -> None:
    made = bench.admit()
    marks = bench.shelf.layout.signatures(f"derived-{KEY}")
    damage(made, "a byte", Path())
    facts = (made.path / "weights.bin").stat()
    known = json.loads(marks.read_text())
    known["weights.bin"] = [facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino]
    marks.write_text(json.dumps(known))  # As where the disk itself forgets a bit.
    assert bench.store.find(KEY) == made
    (bad,) = bench.store.verify(made)
    assert bad.file.path == "weights.bin"
    assert bench.store.find(KEY) is None
    assert bench.quarantined() == [KEY]


def test_what_is_whole_is_verified_and_stays(bench: Any) -> None:
    made = bench.admit()
    assert bench.store.verify(made) == ()
    assert bench.store.find(KEY) == made


def test_without_signatures_it_is_hashed_and_found(bench: Any) -> None:
    made = bench.admit()
    marks = bench.shelf.layout.signatures(f"derived-{KEY}")
    assert set(json.loads(marks.read_text())) == {"weights.bin", "sub/index"}
    marks.unlink()
    assert bench.store.find(KEY) == made
    assert marks.exists()


def test_what_another_process_is_making_is_not_taken_from_it(
    bench: Any, caplog: pytest.LogCaptureFixture
) -> None:
    made = bench.admit()
    damage(made, "a byte", Path())
    with held(bench.shelf.layout.lock(f"derived-{KEY}@files"), timeout=5):
        assert bench.store.find(KEY) is None
    assert made.path.exists()
    assert "it stays there: Waited too long" in caplog.messages[-1]
