"""Archives made to harm, each refused with nothing kept; and the ones that git makes."""

import contextlib
import gzip
import hashlib
import io
import os
import random
import stat
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.store import unpack as unpacking
from pytest_potmodels.store.unpack import Bounds, unpack

COMMIT = "0123456789abcdef" * 2 + "01234567"
Files = Mapping[str, bytes]
Make = Callable[[Path, Files], Path]

SOUND = {"repo-1/hubconf.py": b"dependencies = []\n", "repo-1/net/__init__.py": b""}


def make_zip(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = COMMIT.encode()
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def make_tar(path: Path, files: Files) -> Path:
    with tarfile.open(path, "w:gz", pax_headers={"comment": COMMIT}) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def with_zip_member(path: Path, name: str, mode: int, data: bytes = b"/etc/passwd") -> Path:
    make_zip(path, SOUND)
    with zipfile.ZipFile(path, "a") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, data)
    return path


def with_tar_member(path: Path, kind: bytes, target: str = "/etc/passwd") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("repo-1/evil")
        info.type, info.linkname = kind, target
        archive.addfile(info)
    return path


@pytest.fixture(params=[make_zip, make_tar], ids=["zip", "tar.gz"])
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


def refused(archive: Path, tmp_path: Path, bounds: Bounds | None = None) -> str:
    """The words of the refusal; nothing lies beside the archive afterwards."""
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UnavailableError) as caught:
        unpack(archive, tmp_path / "out", bounds)
    assert sorted(tmp_path.rglob("*")) == before
    assert caught.value.reason is Reason.NOT_LOADABLE
    assert not caught.value.substitutable
    return caught.value.message


def test_files_come_out_without_the_top_folder(tmp_path: Path, make: Make) -> None:
    out = unpack(make(tmp_path / "a", SOUND), tmp_path / "out")
    assert {file.path: file.size for file in out.files} == {"hubconf.py": 18, "net/__init__.py": 0}
    for file in out.files:
        data = (tmp_path / "out" / file.path).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file.sha256
    assert out.comment == COMMIT


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_no_file_is_executable_whatever_the_archive_says(tmp_path: Path) -> None:
    archive = with_zip_member(tmp_path / "a", "repo-1/run.sh", stat.S_IFREG | 0o4777)
    unpack(archive, tmp_path / "out")
    for path in (tmp_path / "out").rglob("*"):
        assert path.is_dir() or stat.S_IMODE(path.stat().st_mode) == 0o644


def test_what_a_killed_run_left_is_not_mixed_in(tmp_path: Path, make: Make) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old.py").write_text("old")
    unpack(make(tmp_path / "a", SOUND), tmp_path / "out")
    assert not (tmp_path / "out" / "old.py").exists()


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege")
def test_a_link_in_the_folders_place_is_not_followed(tmp_path: Path, make: Make) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")
    unpack(make(tmp_path / "a", SOUND), tmp_path / "out")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("repo-1/../../evil.py", "climbs out"),
        ("../evil.py", "climbs out"),
        ("/etc/evil.py", "is absolute"),
        ("C:/evil.py", "is absolute"),
        ("c:evil.py", "is absolute"),
        ("repo-1\\..\\evil.py", "has a backslash"),
        ("\\\\host\\share\\evil.py", "has a backslash"),
        ("repo-1//evil.py", "is no path of a file"),
        ("repo-1/./evil.py", "is no path of a file"),
        ("repo-1/con", "is a device on Windows"),
        ("repo-1/nul.txt", "is a device on Windows"),
        ("repo-1/LPT1.py/x", "is a device on Windows"),
        ("repo-1/evil.py:stream", "is no file name on Windows"),
        ("repo-1/evil.", "is no file name on Windows"),
        ("repo-1/evil /x", "is no file name on Windows"),
        ("repo-1/e\tvil", "is no file name on Windows"),
        ("repo-1/evil?.py", "is no file name on Windows"),
        ("repo-1/" + "\u00fc" * 200, "is longer than 255 bytes"),
        ("repo-1/HUBCONF.py", "are one where case is none"),
        ("repo-1/hubconf.py/x", "is a file and a folder"),
        ("repo-1/HubConf.PY/x", "is a file and a folder"),
        ("other/evil.py", "expected one folder at its top, found other, repo-1"),
        ("evil.py", "expected one folder at its top"),
    ],
)
def test_a_hostile_name_is_refused(tmp_path: Path, make: Make, name: str, said: str) -> None:
    (tmp_path / "in").mkdir()
    archive = make(tmp_path / "in" / "a", {**SOUND, name: b"evil"})
    assert said in refused(archive, tmp_path)


def test_two_ways_to_write_an_umlaut_are_one_name(tmp_path: Path, make: Make) -> None:
    files = {"repo-1/\u00fc.py": b"", "repo-1/u\u0308.py": b""}
    assert "are one where case is none" in refused(make(tmp_path / "a", files), tmp_path)


def test_a_zero_byte_does_not_hide_the_end_of_a_name(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a", {**SOUND, "repo-1/good.pyXevil": b""})
    archive.write_bytes(archive.read_bytes().replace(b"good.pyXevil", b"good.py\0evil"))
    assert "is no file name on Windows" in refused(archive, tmp_path)


def test_a_name_of_no_encoding_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a", "w:gz", format=tarfile.GNU_FORMAT) as archive:
        archive.addfile(tarfile.TarInfo("repo-1/\udcff.py"))
    assert "is no text" in refused(tmp_path / "a", tmp_path)


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a", "w:gz") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("repo-1/hubconf.py"))
    assert "is there twice" in refused(tmp_path / "a", tmp_path)


@pytest.mark.parametrize(
    ("mode", "said"),
    [(stat.S_IFLNK | 0o777, "is a link"), (stat.S_IFIFO, "neither a file nor a folder")],
    ids=["link", "pipe"],
)
def test_what_is_no_file_in_a_zip_is_refused(tmp_path: Path, mode: int, said: str) -> None:
    assert said in refused(with_zip_member(tmp_path / "a", "repo-1/evil", mode), tmp_path)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (tarfile.SYMTYPE, "is a link"),
        (tarfile.LNKTYPE, "is a link"),
        (tarfile.CHRTYPE, "neither a file nor a folder"),
        (tarfile.BLKTYPE, "neither a file nor a folder"),
        (tarfile.FIFOTYPE, "neither a file nor a folder"),
        (tarfile.GNUTYPE_SPARSE, "neither a file nor a folder"),
    ],
    ids=["symbolic", "hard", "character", "block", "pipe", "sparse"],
)
def test_what_is_no_file_in_a_tar_is_refused(tmp_path: Path, kind: bytes, said: str) -> None:
    assert said in refused(with_tar_member(tmp_path / "a", kind), tmp_path)


def test_a_link_that_stays_inside_is_refused_too(tmp_path: Path) -> None:
    archive = with_tar_member(tmp_path / "a", tarfile.SYMTYPE, "hubconf.py")
    assert "is a link" in refused(archive, tmp_path)


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a", SOUND)
    data = bytearray(archive.read_bytes())
    central = data.index(b"PK\x01\x02")
    data[central + 8] |= 1
    archive.write_bytes(data)
    assert "is encrypted" in refused(archive, tmp_path)


def test_too_many_members_are_refused(tmp_path: Path, make: Make) -> None:
    files = {f"repo-1/{number}": b"" for number in range(12)}
    said = refused(make(tmp_path / "a", files), tmp_path, Bounds(members=11))
    assert "it has more than 11 members" in said


def test_more_bytes_than_allowed_are_refused(tmp_path: Path, make: Make) -> None:
    archive = make(tmp_path / "a", {"repo-1/big": os.urandom(4000)})
    assert "as of a bomb" in refused(archive, tmp_path, Bounds(bytes=3999))
    unpack(archive, tmp_path / "out", Bounds(bytes=4000))


def test_a_bomb_is_known_by_its_ratio(tmp_path: Path, make: Make) -> None:
    archive = make(tmp_path / "a", {"repo-1/zeros": bytes(10_000_000)})
    assert archive.stat().st_size < 50_000
    assert "as of a bomb" in refused(archive, tmp_path, Bounds(small=1000))
    unpack(archive, tmp_path / "out")  # Small enough, whatever its ratio.


def test_a_zip_that_understates_a_member_is_refused(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a", {"repo-1/zeros": bytes(1_000_000)})
    size, lie = struct.pack("<L", 1_000_000), struct.pack("<L", 10)
    archive.write_bytes(archive.read_bytes().replace(size, lie))
    assert "is refused" in refused(archive, tmp_path)


def test_a_bomb_among_the_headers_of_a_tar_is_cut(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a", "wb") as stream:
        info = tarfile.TarInfo("repo-1/x")
        info.type, info.size = tarfile.XHDTYPE, 40_000_000
        stream.write(info.tobuf() + bytes(40_000_000))
    tracemalloc.start()
    try:
        assert "more comes out of it than may" in refused(tmp_path / "a", tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_list_of_more_members_than_any_is_not_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        archive.writestr("repo-1/x", b"")
        for number in range(300):  # A comment each, as long as one can be.
            info = zipfile.ZipInfo(f"repo-1/{number}")
            info.comment = bytes(65_000)
            archive.writestr(info, b"")
    assert "its list of members has" in refused(tmp_path / "a", tmp_path)


def test_a_name_of_thousands_of_folders_takes_no_memory(tmp_path: Path, make: Make) -> None:
    archive = make(tmp_path / "a", {**SOUND, "repo-1/" + "a/" * 15_000 + "x": b""})
    tracemalloc.start()
    try:
        said = refused(archive, tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    assert "is longer than 700 characters" in said
    assert len(said) < 400


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_git_never_uses_is_not_unpacked(tmp_path: Path, kind: int) -> None:
    with zipfile.ZipFile(tmp_path / "a", "w", kind) as archive:
        archive.writestr("repo-1/hubconf.py", b"x" * 100)
    assert "is compressed as git compresses nothing" in refused(tmp_path / "a", tmp_path)


def test_any_damage_is_a_refusal_and_no_trouble_of_the_disk(tmp_path: Path, make: Make) -> None:
    sound = make(tmp_path / "a", {f"repo-1/d{n}/f{n}.py": b"x = 1\n" * n for n in range(5)})
    data, chance = sound.read_bytes(), random.Random(0)  # noqa: S311 - the same damage each time
    for _ in range(150):
        bad = bytearray(data)
        at = chance.randrange(len(bad))
        bad[at : at + 4] = chance.choice([b"\xff" * 4, b"\0" * 4, chance.randbytes(1)])
        (tmp_path / "a").write_bytes(bad)
        with contextlib.suppress(UnavailableError):
            unpack(tmp_path / "a", tmp_path / "out")


def test_a_tar_that_states_a_terabyte_is_not_read_to_its_end(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "a", "wb") as stream:
        info = tarfile.TarInfo("repo-1/x")
        info.size = 1 << 40
        stream.write(info.tobuf() + bytes(1_000_000))
    assert "as of a bomb" in refused(tmp_path / "a", tmp_path)


@pytest.mark.parametrize(
    "data", [b"", b"PK", b"no archive", b"PK\x03\x04 cut off", b"\x1f\x8b\x08 cut off"]
)
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a").write_bytes(data)
    assert "it cannot be read" in refused(tmp_path / "a", tmp_path)


def test_a_flipped_byte_is_refused_and_leaves_nothing(tmp_path: Path, make: Make) -> None:
    files = {"repo-1/first": b"first", "repo-1/second": os.urandom(100_000)}
    archive = make(tmp_path / "a", files)
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 0xFF
    archive.write_bytes(data)
    assert "it cannot be read" in refused(archive, tmp_path)


def test_a_full_disk_is_no_fault_of_the_archive(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object) -> tuple[int, str]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(unpacking, "_copy", full)
    with pytest.raises(OSError, match="No space left"):
        unpack(make(tmp_path / "a", SOUND), tmp_path / "out")
    assert not (tmp_path / "out").exists()
