"""Stage -> write -> hash -> flush -> rename: what is made from a model is visible whole or not."""

import contextlib
import errno
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_potmodels.artifacts import StoredFile, StoredModel
from pytest_potmodels.digests import hash_file
from pytest_potmodels.store import derived_manifest, disk, plain_json
from pytest_potmodels.store.derived_manifest import DerivedModel, MadeFrom
from pytest_potmodels.store.derived_place import Place, failure
from pytest_potmodels.store.layout import MANIFEST, is_full

#: Fills an empty folder with plain files, and returns plain JSON values about them.
Write = Callable[[Path], Mapping[str, Any]]


@dataclass(frozen=True)
class Order:
    """What is to be made, from which model, how, and the bytes that it will take."""

    key: str
    source: StoredModel
    versions: Mapping[str, str]
    write: Write
    room: int


def make(order: Order, place: Place) -> DerivedModel:
    """Make it in a place where nothing lies under its key. The caller holds the key's lock.

    Raises:
        StoreError: the disk is full, or fails.
        ValueError, TypeError: what was written is not plain files, or the facts no plain JSON.
    """
    with _told(place):
        stage = place.fresh_stage(order.key)
    try:
        with _told(place, only_full=True):
            _check_room(order, stage)
            facts = order.write(stage)
        with _told(place):
            return _published(_described(order, stage, place, facts), stage, place)
    except BaseException:
        with contextlib.suppress(OSError):
            disk.delete(stage)
        raise


def _published(derived: DerivedModel, stage: Path, place: Place) -> DerivedModel:
    derived_manifest.write(derived, stage / MANIFEST)
    disk.seal(stage)
    place.publish(stage, derived)
    return derived


def _described(order: Order, stage: Path, place: Place, facts: Mapping[str, Any]) -> DerivedModel:
    source = order.source
    return DerivedModel(
        key=order.key,
        path=place.folder / order.key,
        files=tuple(_files(stage)),
        facts=derived_manifest.as_read(facts),
        made_from=MadeFrom(source.id.source, source.id.name, source.revision, source.digest),
        versions=dict(order.versions),
    )


def _files(stage: Path) -> Iterator[StoredFile]:
    for path in sorted(stage.rglob("*")):
        if disk.is_plain(path):
            name = plain_json.inside(path.relative_to(stage).as_posix())
            hasher = hash_file(path)
            yield StoredFile(name, hasher.size, hasher.sha256)
        elif path.is_symlink() or not path.is_dir():
            raise ValueError(f"{path} is no plain file: a derived folder has no links")


def _check_room(order: Order, stage: Path) -> None:
    free = shutil.disk_usage(stage).free
    if order.room > free:
        said = f"{order.room / 1e6:,.1f} MB are needed, {free / 1e6:,.1f} MB are free"
        raise OSError(errno.ENOSPC, said)


@contextlib.contextmanager
def _told(place: Place, *, only_full: bool = False) -> Iterator[None]:
    """Turn the disk's errors into StoreError; with `only_full`, others are not the disk's."""
    try:
        yield
    except OSError as error:
        if only_full and not is_full(error):
            raise
        raise failure(place.folder, error) from error
