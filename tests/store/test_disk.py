import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.store import disk

posix_only = pytest.mark.skipif(os.name == "nt", reason="POSIX users and modes")

#: Seals a folder as a user whom permissions bind, as root they do not.
SEAL_AS_NOBODY = """
import os, sys
from pathlib import Path
from pytest_potmodels.store import disk
os.chown(sys.argv[1], 65534, 65534)
for path in Path(sys.argv[1]).iterdir():
    os.chown(path, 65534, 65534)
os.chdir(sys.argv[1])
if os.geteuid() == 0:
    os.setegid(65534)
    os.seteuid(65534)
disk.seal(Path("."))
"""

POOR_KERNEL = str(Path(__file__).with_name("poor_kernel.py"))
WRITE_AND_SEAL = """
import sys
from pathlib import Path
from pytest_potmodels.store import disk
stage = Path(sys.argv[1])
try:
    (stage / "f").chmod(0o444)
except PermissionError:
    disk.write_whole(stage / "manifest", "{}", mode=disk.READ_ONLY)
    disk.seal(stage)
    print("no chmod here, yet", sorted(path.name for path in stage.iterdir()))
"""


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "f"
    disk.write_whole(target, "one")
    disk.write_whole(target, "two\n", mode=disk.READ_ONLY)
    disk.write_whole(target, "three\n", mode=disk.READ_ONLY)
    assert target.read_bytes() == b"three\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o444
    assert [path.name for path in target.parent.iterdir()] == ["f"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "f"
    disk.write_whole(target, "old")
    with pytest.raises(UnicodeEncodeError):
        disk.write_whole(target, "new \ud800")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("f", "old")]


@posix_only
def test_writing_through_a_link_leaves_what_it_leads_to_alone(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    outside.chmod(0o600)
    link = tmp_path / "link"
    link.symlink_to(outside)
    disk.write_whole(link, "ours", mode=disk.READ_ONLY)
    assert outside.read_text() == "mine"
    assert stat.S_IMODE(outside.stat().st_mode) == 0o600
    assert not link.is_symlink()


def test_sealed_files_are_read_only_and_may_be_sealed_again(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a", "sub/b"):
        (tmp_path / name).write_text("x")
    disk.seal(tmp_path)
    disk.seal(tmp_path)
    assert not (tmp_path / "sub/b").stat().st_mode & 0o222


@posix_only
def test_a_kill_while_sealing_does_not_lock_an_ordinary_user_out(tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    folder.mkdir()
    (folder / "f").write_text("x")
    (folder / "f").chmod(0o444)
    probe = [sys.executable, "-c", SEAL_AS_NOBODY, str(folder)]
    if os.geteuid() != 0:
        probe[2] = SEAL_AS_NOBODY.replace("os.chown", "(lambda *_: None)")
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (folder / "f").stat().st_mode & 0o777 == 0o444


def test_a_read_only_folder_is_deleted_with_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "entry"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "f").write_text("x")
    disk.seal(folder)
    disk.delete(folder)
    assert list(tmp_path.iterdir()) == []


@posix_only
def test_deleting_does_not_follow_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "f").write_text("mine")
    (outside / "f").chmod(0o400)
    folder = tmp_path / "entry"
    folder.mkdir()
    (folder / "file").symlink_to(outside / "f")
    (folder / "folder").symlink_to(outside)
    disk.delete(folder)
    (tmp_path / "link").symlink_to(outside)
    disk.delete(tmp_path / "link")
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]
    assert stat.S_IMODE((outside / "f").stat().st_mode) == 0o400


@posix_only
@pytest.mark.parametrize("make", [os.mkfifo, lambda path: Path(path).symlink_to("/etc/hosts")])
def test_only_plain_files_are_plain(tmp_path: Path, make: Any) -> None:
    make(tmp_path / "odd")
    assert not disk.is_plain(tmp_path / "odd")
    assert not disk.is_plain(tmp_path)
    assert not disk.is_plain(tmp_path / "absent")
    (tmp_path / "f").write_text("x")
    assert disk.is_plain(tmp_path / "f")


@posix_only
def test_where_modes_cannot_be_set_files_are_written_all_the_same(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(WRITE_AND_SEAL)
    (tmp_path / "stage").mkdir()
    (tmp_path / "stage" / "f").write_text("x")
    command = [sys.executable, POOR_KERNEL, "chmod", str(script), str(tmp_path / "stage")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 77:
        pytest.skip("this kernel does not let a process refuse itself chmod")
    assert done.stdout == "no chmod here, yet ['f', 'manifest']\n", done.stderr


@posix_only
def test_a_folder_is_not_moved_over_one_that_is_not_empty(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "f").write_text(name)
    with pytest.raises(OSError, match="not empty"):
        disk.move(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b" / "f").read_text() == "b"


def test_two_that_delete_one_folder_leave_nothing_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "aside"
    for number in range(300):
        (folder / str(number)).mkdir(parents=True)
        (folder / str(number) / "f").write_text("x")
    gate = threading.Barrier(4)
    failed: list[OSError] = []

    def delete() -> None:
        gate.wait()
        try:
            disk.delete(folder)
        except OSError as error:
            failed.append(error)

    threads = [threading.Thread(target=delete) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert list(tmp_path.iterdir()) == []
