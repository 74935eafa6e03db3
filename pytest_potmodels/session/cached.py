"""What the cache has of a model, found out without a request, a lock or a change."""

from pytest_potmodels.artifacts import ModelRequest, StoredModel
from pytest_potmodels.errors import DigestMismatchError
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.checking import Damage

Trouble = DigestMismatchError | None


def look(
    store: ModelStore, request: ModelRequest
) -> tuple[StoredModel | None, tuple[Damage, ...], Trouble]:
    """The entry if there is one, its damaged files, and what is wrong with a manifest.

    A file is hashed only where its stat has changed.

    Raises:
        StoreError: this user may not read it.
    """
    try:
        stored = store.find(request.id)
    except DigestMismatchError as error:
        return None, (), error
    return stored, store.verify(stored, whole=False) if stored is not None else (), None


def is_whole(store: ModelStore, request: ModelRequest) -> bool:
    """Whether a model is there as it was admitted; raises what `look` raises."""
    stored, bad, _ = look(store, request)
    return stored is not None and not bad


def is_absent(store: ModelStore, request: ModelRequest) -> bool:
    """Whether all of it must be fetched; no file is looked at. Raises what `look` raises."""
    try:
        return store.find(request.id) is None
    except DigestMismatchError:
        return True
