"""A folder of what was made from models: the cache's own, or the one beside a read-only cache."""

import contextlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_potmodels.errors import StoreError
from pytest_potmodels.store import derived_manifest, disk, mending, signatures, usage
from pytest_potmodels.store.checking import damages
from pytest_potmodels.store.derived_manifest import DerivedModel
from pytest_potmodels.store.layout import MANIFEST, Layout, is_full, unwritable
from pytest_potmodels.store.leases import Heed, Leases
from pytest_potmodels.store.leftovers import files_of
from pytest_potmodels.store.locks import held

OTHER_FOLDER = "name a folder that takes files in POT_DERIVED_DIR"


@dataclass(frozen=True)
class Place:
    """The folder, and where the locks, stages and quarantine of its contents lie."""

    folder: Path
    layout: Layout

    def look(self, key: str) -> tuple[DerivedModel | None, str]:
        """What lies under a key, checked by stat signatures; or what is wrong with it.

        Neither where nothing lies there.
        """
        folder = self.folder / key
        if not os.path.lexists(folder):  # A folder that may not be looked into has nothing for us.
            return None, ""
        try:
            derived = derived_manifest.read(folder)
        except FileNotFoundError:
            return None, "its manifest is absent"
        except ValueError as error:
            return None, f"its manifest cannot be read ({error})"
        bad = damages(derived, self.signatures(key))
        return (None, str(bad[0])) if bad else (derived, "")

    def all(self) -> list[DerivedModel]:
        """All whose manifests are readable, by key; their files are not looked at."""
        found = []
        for manifest in sorted(self.folder.glob("*/" + MANIFEST)):
            with contextlib.suppress(ValueError, FileNotFoundError):
                found.append(derived_manifest.read(manifest.parent))
        return found

    def unreadable(self) -> list[Path]:
        """Folders with a manifest that is no derived folder's; others are not ours."""
        readable = {derived.path for derived in self.all()}
        manifests = self.folder.glob("*/" + MANIFEST)
        return sorted({manifest.parent for manifest in manifests} - readable)

    def check_writable(self) -> None:
        """Pass if the folder takes files; it is created where it is not there yet.

        Raises:
            StoreError: it does not; the cause is the OSError.
        """
        self.layout.prepare()
        # To find out by the rename at the end would be late.
        for folder in (self.layout.partial, self.folder):
            try:
                folder.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=folder):
                    pass
            except OSError as error:
                raise unwritable(folder, error) from error

    @contextlib.contextmanager
    def alone_with(self, key: str, *, timeout: float) -> Iterator[None]:
        """Be the one process that makes what lies under this key, or moves it away.

        Raises:
            StoreError: the wait was too long, or the folder does not take files.
        """
        with held(self.layout.lock(files_of(name_of(key))), timeout=timeout):
            yield

    def fresh_stage(self, key: str) -> Path:
        """An empty folder to make it in; what killed runs left of earlier ones is gone."""
        name = f"derived-{key}@"
        for left in self.layout.partial.glob(f"{name}*"):
            with contextlib.suppress(OSError):  # Another user's is not ours to delete.
                disk.delete(left)
        # Where locks do not work, two processes must not write into one folder.
        stage = self.layout.stage(name + uuid.uuid4().hex[:8])
        stage.mkdir(parents=True)
        return stage

    def publish(self, stage: Path, derived: DerivedModel) -> None:
        """Make a finished stage visible by one rename."""
        disk.move(stage, derived.path)
        disk.flush_folder(self.folder)
        signatures.write(self.signatures(derived.key), signatures.of(derived))

    def lease(self, key: str) -> bool:
        """Keep what lies under a key from being removed while this process runs; is that new?"""
        new = Leases(self.layout).take(name_of(key))
        if new:
            usage.touch(self.layout, name_of(key))
        return new

    def remove(self, key: str, *, heed: Heed) -> None:
        """Delete what lies under a key.

        Raises:
            StoreError: a running process uses it, among those that `heed` names.
            OSError: it is not there, or cannot be deleted.
        """
        leases = Leases(self.layout)
        with leases.settled() as live:
            leases.check_free(name_of(key), key, live, heed)
            aside = self.set_aside(key)
            usage.forget(self.layout, name_of(key))
        disk.delete(aside)

    def set_aside(self, key: str) -> Path:
        """Move what lies under a key into quarantine."""
        with contextlib.suppress(OSError):
            self.signatures(key).unlink()
        return mending.set_aside(self.folder / key, self.layout)

    def signatures(self, key: str) -> Path:
        """The recorded stat signatures of the files under a key."""
        return self.layout.signatures(name_of(key))


def name_of(key: str) -> str:
    """What a derived folder is called among locks, leases and signatures."""
    return f"derived-{key}"


def failure(folder: Path, error: OSError) -> StoreError:
    """The error for files that the disk does not take."""
    said = f"{folder} does not take derived files: {error.strerror or error}."
    if is_full(error):
        return StoreError(
            said,
            remedy="free some space (`potmodels list` shows what is there), or choose another "
            "cache with --pot-cache-dir",
        )
    return StoreError(said, remedy=f"make it writable, or {OTHER_FOLDER}")
