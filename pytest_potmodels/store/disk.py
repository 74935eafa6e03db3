"""How files reach the disk and leave it: written whole, flushed, sealed, moved, deleted."""

import contextlib
import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

READ_ONLY, WRITABLE = 0o444, 0o644

#: Windows: a virus scanner may hold a file that was just written.
_TRIES_ON_WINDOWS = 10
#: Each try that another process disturbs has fewer files than the one before.
_TRIES_TO_DELETE = 1000
#: What mounts answer that flush files but no folders (CIFS, FUSE).
_NO_FOLDER_FLUSH = frozenset({errno.EINVAL, errno.ENOTSUP, errno.ENOSYS})


def write_whole(target: Path, text: str, *, mode: int = WRITABLE) -> None:
    """Replace `target` by a file with `text`, flushed before it becomes visible.

    Raises:
        OSError: the disk does not take it; nothing is left behind.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".new-")
    fresh = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        _set_mode(fresh, mode)
        move(fresh, target)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise


def seal(folder: Path) -> None:
    """Flush a folder of plain files to disk and make them read-only."""
    # A rename may outrun the data in a power cut.
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir():
            flush_folder(path)
        else:
            _seal_file(path)
    flush_folder(folder)


def move(source: Path, target: Path) -> None:
    """Rename a file or folder; a file replaces a file of that name.

    Raises:
        OSError: `target` is a folder that is not empty, or the disk does not take it.
    """
    for attempt in range(1, _TRIES_ON_WINDOWS + 1):
        try:
            if os.name == "nt" and target.is_file():
                target.chmod(WRITABLE)  # Windows replaces no read-only file.
            source.replace(target)
        except PermissionError:
            if os.name != "nt" or attempt == _TRIES_ON_WINDOWS:
                raise
            time.sleep(0.1)
        else:
            return


def delete(path: Path) -> None:
    """Delete a file, a link, or a folder with its read-only files; links are not followed."""
    if path.is_symlink() or not path.is_dir():
        _make_writable(path)
        path.unlink()
        return
    for each in below(path):
        _make_writable(each)
    # Another process may be deleting the same folder, and whoever comes second must not give up.
    for attempt in range(1, _TRIES_TO_DELETE + 1):
        try:
            shutil.rmtree(path)
        except FileNotFoundError:
            if attempt == _TRIES_TO_DELETE:
                raise
        if not path.exists():
            return


def below(folder: Path) -> Iterator[Path]:
    """All that is under a folder, as far as it can be seen; links are not followed.

    Unlike `rglob` this takes it that another process moves and deletes meanwhile.
    """
    for place, folders, files in os.walk(folder):
        yield from (Path(place, name) for name in (*folders, *files))


def flush_folder(folder: Path) -> None:
    """Have the names in a folder survive a power cut."""
    if os.name == "nt":
        return  # Windows opens no folders.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_FOLDER_FLUSH:
            raise
    finally:
        os.close(handle)


def is_plain(path: Path) -> bool:
    """Whether there is a file that is neither a link nor a pipe, device or folder."""
    return path.is_file() and not path.is_symlink()


def bytes_in(folder: Path) -> int:
    """Bytes of all files under a folder, as far as they can be seen; 0 where there is none."""
    total = 0
    for path in below(folder):
        with contextlib.suppress(OSError):  # Another process may be moving them.
            total += path.lstat().st_size if is_plain(path) else 0
    return total


def _make_writable(path: Path) -> None:
    # Windows deletes no read-only file; elsewhere it may be a hard link to somebody's private one.
    with contextlib.suppress(FileNotFoundError):
        if os.name == "nt" and is_plain(path):
            path.chmod(WRITABLE)


def _seal_file(path: Path) -> None:
    # A run that was killed while it sealed left the file read-only, and a flush opens for writing.
    _set_mode(path, WRITABLE)
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())
    _set_mode(path, READ_ONLY)


def _set_mode(path: Path, mode: int) -> None:
    # Some mounts (FAT, CIFS, FUSE) refuse. Modes keep accidents off; digests do not depend on them.
    with contextlib.suppress(OSError):
        path.chmod(mode)
