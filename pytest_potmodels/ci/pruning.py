"""The folder as it is saved: the models of the job, and nothing that came with them."""

from collections.abc import Collection

from pytest_potmodels.ci import folder
from pytest_potmodels.ci.restored import matching
from pytest_potmodels.ci.selection import Selected
from pytest_potmodels.errors import StoreError
from pytest_potmodels.lockfile.pins import Pins
from pytest_potmodels.store import disk
from pytest_potmodels.store.cache import ModelStore


def prune(store: ModelStore, keep: Collection[str]) -> tuple[str, ...]:
    """Delete all but these entries; say what went.

    What was derived, records of this machine, downloads in part and bad files set aside go, too.

    Raises:
        StoreError: another process uses the folder, or it cannot be written.
    """
    require_alone(store)
    try:
        gone = [*folder.sweep(store.layout), *_beyond(store, keep)]
    except (OSError, RecursionError) as error:  # Folders in folders without end.
        raise StoreError(
            f"{store.layout.root} cannot be emptied of what is no model: {error!s:.500}.",
            remedy="have the job own its cache folder, or delete that folder",
        ) from error
    return tuple(gone)


def require_alone(store: ModelStore) -> None:
    """Accept a folder that no other process uses: what it works with would go, too.

    Raises:
        StoreError: one does.
    """
    for lease in store.leases.look():
        if not lease.mine:
            raise StoreError(
                f"{store.layout.root} is in use by {lease}.",
                remedy="wait until it has ended, or give each job a folder: --cache-dir",
            )


def entries_of(store: ModelStore, selected: Selected, pins: Pins) -> set[str]:
    """The folders of the selected models, as of their manifests."""
    return {
        stored.path.name
        for stored in store.entries()
        if not stored.in_place and matching(stored, selected, pins) is not None
    }


def _beyond(store: ModelStore, keep: Collection[str]) -> list[str]:
    models = store.layout.models
    there = sorted(models.iterdir()) if models.is_dir() else []
    beyond = [path for path in there if path.name not in keep]
    for path in beyond:
        disk.delete(path)
    return [path.name for path in beyond]
