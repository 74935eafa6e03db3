import os
import stat
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from pytest_potmodels.artifacts import RemoteFile, StoredFile
from pytest_potmodels.errors import DigestMismatchError, Reason, StoreError, UnavailableError
from pytest_potmodels.store import admission, manifest
from pytest_potmodels.store.layout import MANIFEST

NAME = "huggingface:org/model"
FOLDER = "huggingface_org--model"
WEIGHTS = "model.safetensors"
X = sha256(b"x").hexdigest()
posix_only = pytest.mark.skipif(os.name == "nt", reason="links and modes as POSIX has them")


def stage_of(shelf: Any, resolved: Any, name: str = NAME) -> Path:
    """The stage of a model, as a run that was killed leaves it."""
    stages: list[Path] = []

    def killed(_files: Sequence[RemoteFile], stage: Path) -> tuple[StoredFile, ...]:
        stages.append(stage)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        admission.admit(resolved(name), FOLDER, shelf.layout, killed, known=None)
    return stages[0]


def test_an_entry_holds_its_files_and_its_manifest_and_is_read_only(shelf: Any) -> None:
    files = {"config.json": b"{}", "sub/weights.bin": b"w" * 99}
    stored = shelf.admit(NAME, files)
    assert stored.fresh
    assert stored.path == shelf.layout.entry(FOLDER)
    found = {p.relative_to(stored.path).as_posix() for p in stored.path.rglob("*") if p.is_file()}
    assert found == {*files, MANIFEST}
    for path in found:
        assert not (stored.path / path).stat().st_mode & 0o222
    for path, data in files.items():
        assert (stored.path / path).read_bytes() == data
    assert manifest.read(stored.path / MANIFEST) == stored


def test_nothing_is_left_beside_the_entry(shelf: Any) -> None:
    shelf.admit(NAME)
    assert shelf.store.leftovers() == []
    assert shelf.folders() == [FOLDER]


@pytest.mark.parametrize(
    "error",
    [
        KeyboardInterrupt(),
        OSError(28, "No space left on device"),
        UnavailableError("no", reason=Reason.OFFLINE),
        DigestMismatchError("no", expected="a", found="b"),
    ],
)
def test_a_fetch_that_fails_leaves_no_entry(shelf: Any, resolved: Any, error: Any) -> None:
    def fetch(_files: Sequence[RemoteFile], stage: Path) -> tuple[StoredFile, ...]:
        (stage / WEIGHTS).write_bytes(b"half")
        raise error

    with pytest.raises(type(error)):
        admission.admit(resolved(NAME), FOLDER, shelf.layout, fetch, known=None)
    assert not shelf.layout.entry(FOLDER).exists()
    assert shelf.find(NAME) is None


def test_what_a_killed_run_left_is_offered_to_the_next(shelf: Any, resolved: Any) -> None:
    stage = stage_of(shelf, resolved)
    (stage / f"{WEIGHTS}.part").write_bytes(b"half")
    seen: list[bytes] = []

    def fetch(files: Sequence[RemoteFile], stage: Path) -> tuple[StoredFile, ...]:
        seen.append((stage / f"{WEIGHTS}.part").read_bytes())
        return tuple(shelf.fetcher({str(f.path): b"x" for f in files})(files, stage))

    admission.admit(resolved(NAME), FOLDER, shelf.layout, fetch, known=None)
    assert seen == [b"half"]


def test_what_another_revision_left_is_not_offered(shelf: Any, resolved: Any) -> None:
    one = stage_of(shelf, lambda name: resolved(name, revision="IMAGENET1K_SWAG_E2E_V1"))
    other = stage_of(shelf, lambda name: resolved(name, revision="IMAGENET1K_SWAG_LINEAR_V1"))
    assert one != other


def test_strangers_in_the_stage_do_not_come_in(shelf: Any, resolved: Any) -> None:
    stage = stage_of(shelf, resolved)
    (stage / "evil").mkdir()
    for name in ("evil/sitecustomize.py", "other.bin", f"{WEIGHTS}.part", ".new-xyz", MANIFEST):
        (stage / name).write_text("import os")
        (stage / name).chmod(0o444)
    stored = shelf.admit(NAME)
    found = {path.name for path in stored.path.rglob("*")}
    assert found == {"config.json", WEIGHTS, MANIFEST}


@posix_only
def test_links_and_pipes_in_the_stage_do_not_come_in(
    shelf: Any, resolved: Any, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f").write_text("mine")
    (outside / "f").chmod(0o600)
    stage = stage_of(shelf, resolved)
    (stage / WEIGHTS).symlink_to(outside / "f")
    (stage / "config.json").symlink_to(tmp_path / "nowhere")
    (stage / MANIFEST).symlink_to(outside / "f")
    (stage / "folder").symlink_to(outside)
    os.mkfifo(stage / "pipe")
    stored = shelf.admit(NAME)
    assert not any(path.is_symlink() for path in stored.path.rglob("*"))
    assert {path.name for path in stored.path.rglob("*")} == {"config.json", WEIGHTS, MANIFEST}
    assert (outside / "f").read_text() == "mine"
    assert stat.S_IMODE((outside / "f").stat().st_mode) == 0o600


@posix_only
def test_links_that_a_fetch_leaves_do_not_come_in(
    shelf: Any, resolved: Any, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "f").write_text("mine")

    def fetch(_files: Sequence[RemoteFile], stage: Path) -> tuple[StoredFile, ...]:
        for name in ("config.json", WEIGHTS):
            (stage / name).write_bytes(b"x")
        (stage / "folder").mkdir()
        (stage / "folder" / "link").symlink_to(tmp_path / "outside")
        (stage / "link").symlink_to(tmp_path / "outside")
        return (StoredFile("config.json", 1, X, "u"), StoredFile(WEIGHTS, 1, X, "u"))

    stored = admission.admit(resolved(NAME), FOLDER, shelf.layout, fetch, known=None)
    assert {path.name for path in stored.path.rglob("*")} == {"config.json", WEIGHTS, MANIFEST}
    assert (tmp_path / "outside" / "f").read_text() == "mine"


@posix_only
def test_a_stage_that_is_a_link_does_not_become_the_entry(
    shelf: Any, resolved: Any, tmp_path: Path
) -> None:
    stage = stage_of(shelf, resolved)
    stage.rmdir()
    (tmp_path / "outside").mkdir()
    stage.symlink_to(tmp_path / "outside")
    stored = shelf.admit(NAME)
    assert not stored.path.is_symlink()
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize("what", [b"weigh", b"weights" * 2000, None])
def test_a_file_that_another_process_changed_meanwhile_is_refused(
    shelf: Any, resolved: Any, what: bytes | None
) -> None:
    fetch = shelf.fetcher({"config.json": b"{}", WEIGHTS: b"weights" * 1000})

    def raced(files: Sequence[RemoteFile], stage: Path) -> tuple[StoredFile, ...]:
        stored: tuple[StoredFile, ...] = fetch(files, stage)
        (stage / WEIGHTS).unlink()
        if what is not None:
            (stage / WEIGHTS).write_bytes(what)
        return stored

    with pytest.raises(DigestMismatchError, match="is not what was written to it"):
        admission.admit(resolved(NAME), FOLDER, shelf.layout, raced, known=None)
    assert not shelf.layout.entry(FOLDER).exists()


@pytest.mark.parametrize("name", [MANIFEST, "Model_Info.JSON"])
def test_a_model_does_not_bring_its_own_manifest(shelf: Any, resolved: Any, name: str) -> None:
    model = resolved(NAME, {name: b"{}"})
    with pytest.raises(StoreError, match="the cache's own manifest"):
        admission.admit(model, FOLDER, shelf.layout, shelf.fetcher({name: b"{}"}), known=None)
    assert not shelf.layout.entry(FOLDER).exists()


def test_a_manifest_further_down_is_a_file_like_others(shelf: Any) -> None:
    stored = shelf.admit(NAME, {"1_Pooling/model_info.json": b"{}", WEIGHTS: b"w"})
    assert stored.files[0].path == "1_Pooling/model_info.json"
    assert shelf.damaged(stored, whole=True) == {}


def test_a_damaged_entry_makes_room_and_is_kept_as_evidence(shelf: Any, flip_byte: Any) -> None:
    stored = shelf.admit(NAME)
    flip_byte(stored.path / WEIGHTS)
    bad = (stored.path / WEIGHTS).read_bytes()
    flip_byte(stored.path / MANIFEST, at=0)
    again = shelf.admit(NAME)
    assert shelf.damaged(again, whole=True) == {}
    assert bad in shelf.quarantined()


def test_a_file_in_the_entrys_place_makes_room(shelf: Any) -> None:
    shelf.layout.prepare()
    shelf.layout.entry(FOLDER).write_text("a file")
    stored = shelf.admit(NAME)
    assert shelf.damaged(stored, whole=True) == {}
    assert shelf.quarantined() == [b"a file"]


@posix_only
def test_a_dangling_link_in_the_entrys_place_makes_room(shelf: Any, tmp_path: Path) -> None:
    shelf.layout.models.mkdir(parents=True)
    shelf.layout.entry(FOLDER).symlink_to(tmp_path / "nowhere")
    stored = shelf.admit(NAME)
    assert not stored.path.is_symlink()
    assert shelf.damaged(stored, whole=True) == {}


def test_a_healthy_entry_that_is_fetched_again_leaves_nothing_behind(shelf: Any) -> None:
    shelf.admit(NAME)
    shelf.admit(NAME, again=True)
    assert shelf.fetched == ["config.json", WEIGHTS] * 2
    assert shelf.quarantined() == []


def test_a_damaged_entry_that_is_fetched_again_is_kept_as_evidence(
    shelf: Any, flip_byte: Any
) -> None:
    stored = shelf.admit(NAME)
    flip_byte(stored.path / WEIGHTS)
    bad = (stored.path / WEIGHTS).read_bytes()
    again = shelf.admit(NAME, again=True)
    assert shelf.damaged(again, whole=True) == {}
    assert bad in shelf.quarantined()


def test_the_files_of_a_manifest_are_sorted(shelf: Any) -> None:
    stored = shelf.admit(NAME, {"z": b"z", "a/b": b"ab", "m": b"m"})
    assert [file.path for file in stored.files] == ["a/b", "m", "z"]


def test_facts_of_the_source_go_into_the_manifest(shelf: Any) -> None:
    facts = {
        "license": "mit",
        "gated": True,
        "origin": "https://hub.test/org/model",
        "aliases": ("old",),
        "architecture": "resnet18",
        "kind": "vision",
        "format": "torchvision",
    }
    shelf.admit(NAME, **facts)
    found = shelf.find(NAME)
    assert {key: getattr(found, key) for key in facts} == facts
    assert PurePosixPath(found.files[0].path).name == "config.json"
