import json
import os
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.errors import StoreError
from pytest_potmodels.store.derived import DerivedStore
from pytest_potmodels.store.entries import Entries
from pytest_potmodels.store.layout import MANIFEST, Layout

KEY = "0123abcd-aligned-1"


def test_what_is_made_is_found_with_its_facts(bench: Any) -> None:
    assert bench.store.find(KEY) is None
    made = bench.admit(offsets=[0, 64], tied=(("a", "b"),), shapes={1: None})
    assert bench.store.find(KEY) == made
    assert made.facts == {"offsets": [0, 64], "tied": [["a", "b"]], "shapes": {"1": None}}
    assert made.path == bench.shelf.cache / "derived" / KEY
    assert [file.path for file in made.files] == ["sub/index", "weights.bin"]
    assert made.size == 3508
    assert (made.path / "weights.bin").read_bytes() == b"aligned" * 500
    assert (made.made_from.digest, str(made.made_from)) == (
        bench.source().digest,
        "huggingface:org/model",
    )
    assert made.versions == {"torch": "2.13.0"}


def test_the_manifest_tells_people_where_it_is_from(bench: Any) -> None:
    source = bench.source()
    said = json.loads((bench.admit(n=1).path / MANIFEST).read_text())
    assert said["key"] == KEY
    assert said["made_from"] == {
        "source": "huggingface",
        "name": "org/model",
        "revision": source.revision,
        "digest": source.digest,
    }
    assert set(said) == {"schema", "key", "made_from", "versions", "facts", "files", "digest"}


def test_looking_creates_nothing(bench: Any, tmp_path: Path) -> None:
    bench.second = tmp_path / "second"
    assert bench.store.find(KEY) is None
    assert (bench.store.all(), bench.store.size(), bench.store.leftovers()) == ([], 0, [])
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_made_again(bench: Any) -> None:
    made = bench.admit()
    assert bench.admit() == made
    assert len(bench.stages) == 1


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_its_files_are_read_only_and_its_folder_is_open_to_whom_the_cache_is(bench: Any) -> None:
    made = bench.admit()
    modes = {path.stat().st_mode & 0o777 for path in made.path.rglob("*") if path.is_file()}
    assert modes == {0o444}
    assert made.path.stat().st_mode == bench.source().path.stat().st_mode


@pytest.mark.parametrize(
    "key", ["", ".", "..", "../x", "a/b", "A", "é", "a b", "a.", ".pot", "x" * 121, MANIFEST]
)
def test_a_key_that_is_no_folder_name_is_refused(bench: Any, key: str) -> None:
    with pytest.raises(ValueError, match="is no key of a derived folder"):
        bench.store.find(key)
    with pytest.raises(ValueError, match="is no key of a derived folder"):
        bench.admit(key)
    assert bench.stages == []


@pytest.mark.parametrize("key", ["a", "0", "_x-1.2", "x" * 120, "model_info.json.x"])
def test_any_other_key_is_a_folder_name(bench: Any, key: str) -> None:
    assert bench.admit(key).path.name == key
    assert bench.store.find(key) is not None


def test_what_was_made_from_a_model_is_known_by_its_files(bench: Any) -> None:
    one, other = bench.source(), bench.source("huggingface:org/other")
    for key, source in (("a", one), ("b", one), ("c", other)):
        bench.admit(key, source=source)
    assert [each.key for each in bench.store.of(one)] == ["a", "b"]
    assert [each.key for each in bench.store.of(other)] == ["c"]
    assert [each.key for each in bench.store.all()] == ["a", "b", "c"]
    assert bench.store.size() == 3 * 3508


def test_what_is_removed_is_gone_and_can_be_made_again(bench: Any) -> None:
    made = bench.admit()
    bench.store.remove(made)
    assert not made.path.exists()
    assert bench.quarantined() == []
    assert list((bench.shelf.layout.machine / "state").glob("derived-*")) == []
    bench.store.remove(made)
    assert bench.store.find(KEY) is None
    assert bench.admit() == made


@pytest.mark.skipif(os.name == "nt", reason="Windows deletes no file that is mapped")
def test_a_file_that_is_mapped_stays_what_it_was_when_it_is_replaced(bench: Any) -> None:
    made = bench.admit()
    with (made.path / "weights.bin").open("rb") as mapped:
        bench.store.remove(made)
        again = bench.admit(files={"weights.bin": b"newer"})
        assert mapped.read() == b"aligned" * 500
        assert os.fstat(mapped.fileno()).st_ino != (again.path / "weights.bin").stat().st_ino


def test_in_a_models_folder_it_lies_beside_the_entries_and_is_none(bench: Any) -> None:
    source = bench.source()
    layout = Layout.of_models_folder(bench.shelf.layout.models)
    store = DerivedStore(layout)
    made = store.admit(KEY, source, {}, lambda _stage: {}, timeout=5)
    assert made.path == layout.models / "derived" / KEY
    entries = Entries(layout)
    for misleading in ((source.path / MANIFEST).read_text(), "{}"):
        (layout.derived / MANIFEST).write_text(misleading)
        assert [entry.path for entry in entries.all()] == [source.path]
        assert entries.damaged() == []
    assert store.find(KEY) == made
    (made.path / MANIFEST).unlink()
    assert store.find(KEY) is None
    assert not made.path.exists()


def rewrite(path: Path, **facts: Any) -> None:
    said = json.loads(path.read_text())
    path.chmod(0o644)
    path.write_text(json.dumps({**said, **facts}))


def test_folders_without_a_readable_manifest_are_leftovers(bench: Any, tmp_path: Path) -> None:
    bench.second = tmp_path / "second"
    good, bad = bench.admit("good"), bench.admit("bad")
    (bad.path / MANIFEST).chmod(0o644)
    (bad.path / MANIFEST).write_text("[")
    (bench.shelf.layout.derived / "mine").mkdir()
    assert bench.store.leftovers() == [bad.path]
    assert bench.store.all() == [good]
    bench.store.discard(bad.path)
    assert bench.store.leftovers() == bench.shelf.store.leftovers() == []
    assert sorted(path.name for path in bench.shelf.layout.derived.iterdir()) == ["good", "mine"]


def test_folders_without_a_readable_manifest_are_set_aside_on_demand(bench: Any) -> None:
    good, bad = bench.admit("good"), bench.admit("bad")
    rewrite(bad.path / MANIFEST, schema=2)
    bench.store.set_unreadable_aside()
    assert bench.quarantined() == ["bad"]
    assert bench.store.find("good") == good


def test_a_stage_in_use_is_no_leftover_to_delete(bench: Any, tmp_path: Path) -> None:
    def write(stage: Path) -> dict[str, Any]:
        assert bench.shelf.store.leftovers() == [stage]
        with pytest.raises(StoreError, match="held by process"):
            bench.shelf.store.discard(stage)
        return {}

    source = bench.source()
    bench.store.admit(KEY, source, {}, write, timeout=5)
    assert bench.shelf.store.leftovers() == []
