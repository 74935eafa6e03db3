"""What this project makes from stored models: find, make once, check, list, remove.

All of it can be made again, so a damaged folder is no error: it is set aside and said.
"""

import contextlib
import errno
import logging
from collections.abc import Mapping
from pathlib import Path

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.errors import StoreError
from pytest_potmodels.store import usage
from pytest_potmodels.store.checking import Damage, damages_by_digest
from pytest_potmodels.store.derived_admission import Order, Write, make
from pytest_potmodels.store.derived_manifest import DerivedModel, MadeFrom, check_key
from pytest_potmodels.store.derived_place import OTHER_FOLDER, Place, failure, name_of
from pytest_potmodels.store.layout import Layout
from pytest_potmodels.store.leases import Heed
from pytest_potmodels.store.leftovers import discard, leftovers

__all__ = ["DerivedModel", "DerivedStore", "MadeFrom", "Write"]

_log = logging.getLogger(__name__)

#: What a folder answers that cannot be written: read-only, another user's, a file in its place.
_CLOSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST})


class DerivedStore:
    """Derived folders: one folder is one key is one manifest."""

    def __init__(self, layout: Layout, *, second: Path | None = None) -> None:
        """Look in the cache, and in `second`, which is written where the cache cannot be."""
        self._places = [Place(layout.derived, layout)]
        if second is not None and second != layout.derived:
            self._places.append(Place(second, Layout.of_models_folder(second)))

    def find(self, key: str) -> DerivedModel | None:
        """What was made under this key, its files proven untouched; None where it is to be made.

        A damaged one is moved to quarantine where that can be, and a warning says so.

        Raises:
            ValueError: no folder may have this name.
        """
        check_key(key)
        return next(filter(None, (self._leased(key, place) for place in self._places)), None)

    def admit(
        self,
        key: str,
        source: StoredModel,
        versions: Mapping[str, str],
        write: Write,
        *,
        timeout: float,
        room: int = 0,
    ) -> DerivedModel:
        """Make what belongs under this key, unless another process has made it meanwhile.

        Args:
            key: the name of the folder: it should hold all that the files depend on.
            source: the model that it is made from.
            versions: of the libraries that make it.
            write: fills an empty folder, and returns plain JSON values. What it raises goes
                through, but for a full disk.
            timeout: seconds to wait for another process that makes the same.
            room: bytes that it will take.

        Raises:
            StoreError: no folder takes files, the disk is full, or the wait was too long.
            ValueError: no folder may have this name.
        """
        if there := self.find(key):
            return there
        order = Order(key, source, versions, write, room)
        with contextlib.ExitStack() as lock:
            place = self._place_for(order, lock, timeout)
            return self._found_or_made(order, place)

    def of(self, source: StoredModel) -> list[DerivedModel]:
        """All that was made from the files of this model."""
        return [each for each in self.all() if each.made_from.digest == source.digest]

    def all(self) -> list[DerivedModel]:
        """All whose manifests are readable; their files are not looked at."""
        return [derived for place in self._places for derived in place.all()]

    def size(self) -> int:
        """Bytes of all."""
        return sum(derived.size for derived in self.all())

    def verify(self, derived: DerivedModel) -> tuple[Damage, ...]:
        """Check every byte; what is damaged is moved to quarantine, as `find` does."""
        place = self._place_of(derived.path)
        bad = damages_by_digest(derived, place.signatures(derived.key))
        if not derived.path.exists():
            return ()  # Another process has removed it meanwhile.
        if bad:
            self._clear_away(place, derived.key, str(bad[0]))
        return bad

    def set_unreadable_aside(self) -> None:
        """Move folders with a manifest that cannot be read to quarantine, as `find` does."""
        for place in self._places:
            for folder in place.unreadable():
                self._sound(folder.name, place)

    def remove(self, derived: DerivedModel, *, heed: Heed = "others") -> None:
        """Delete a derived folder; one that is not there any more is no error.

        Raises:
            StoreError: a running process uses it, among those that `heed` names; or it cannot be
                deleted.
        """
        place = self._place_of(derived.path)
        try:
            place.remove(derived.key, heed=heed)
        except FileNotFoundError:
            return
        except OSError as error:
            raise failure(place.folder, error) from error

    def leftovers(self) -> list[Path]:
        """Folders with a manifest that cannot be read, and what is left in the second folder.

        What is left in the cache itself is among the leftovers of its models.
        """
        broken = [path for place in self._places for path in place.unreadable()]
        left = [path for place in self._places[1:] for path in leftovers(place.layout)]
        return [*broken, *left]

    def discard(self, leftover: Path) -> None:
        """Delete one of the leftovers.

        Raises:
            StoreError: another process is working on it, or it cannot be deleted.
        """
        whose = (p for p in self._places if leftover.is_relative_to(p.layout.machine))
        place = next(whose, None) or self._place_of(leftover)
        try:
            is_broken = leftover.parent == place.folder
            discard(place.set_aside(leftover.name) if is_broken else leftover, place.layout)
        except OSError as error:
            raise failure(place.folder, error) from error

    def _place_for(self, order: Order, lock: contextlib.ExitStack, timeout: float) -> Place:
        """The first place that takes files, with the key's lock held."""
        closed = []
        for place in self._places:
            try:
                place.check_writable()
                lock.enter_context(place.alone_with(order.key, timeout=timeout))
            except StoreError as error:
                if not (why := _why_closed(error)):
                    raise
                closed.append(f"{place.folder} ({why})")
            else:
                return place
        raise StoreError(
            f"What is made from {order.source.id} cannot be stored in {', nor in '.join(closed)}.",
            remedy=OTHER_FOLDER,
        )

    def _place_of(self, folder: Path) -> Place:
        return next(each for each in self._places if each.folder == folder.parent)

    def last_used(self, derived: DerivedModel) -> float:
        """When a derived folder was used last, in seconds of the epoch."""
        layout = self._place_of(derived.path).layout
        return usage.last_used(layout, name_of(derived.key), derived.path)

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """Of the cache itself, and of the second folder where there is one."""
        return tuple(place.layout for place in self._places)

    def _leased(self, key: str, place: Place) -> DerivedModel | None:
        """What lies under a key, and nothing removes it before this process ends."""
        found = self._sound(key, place)
        # Who removes things may have been faster than the lease, so look again.
        while found is not None and place.lease(key):
            found = self._sound(key, place)
        return found

    def _sound(self, key: str, place: Place) -> DerivedModel | None:
        found, why = place.look(key)
        return self._clear_away(place, key, why) if why else found

    def _clear_away(self, place: Place, key: str, why: str) -> DerivedModel | None:
        """Move a damaged folder away; if another process has made it again by now, take that."""
        try:
            with place.alone_with(key, timeout=0):
                return self._sound_or_aside(key, place)
        except StoreError as error:
            _log.warning("%s: %s; it stays there: %s", place.folder / key, why, error.message)
        return None

    def _sound_or_aside(self, key: str, place: Place) -> DerivedModel | None:
        """Look under a key whose lock is held."""
        found, why = place.look(key)
        if why:
            try:
                place.set_aside(key)
            except OSError as error:
                raise failure(place.folder, error) from error
            _log.warning("%s: %s; set aside, made again when needed", place.folder / key, why)
        return found

    def _found_or_made(self, order: Order, place: Place) -> DerivedModel:
        place.lease(order.key)
        if found := self._sound_or_aside(order.key, place):
            return found
        try:
            return make(order, place)
        except StoreError:
            # Where locks do not work, another process may have been first.
            theirs, _ = place.look(order.key)
            if theirs is None:
                raise
            return theirs


def _why_closed(error: StoreError) -> str:
    """Why a folder cannot be written, where that is what is wrong; else ""."""
    cause = error.__cause__
    if isinstance(cause, OSError) and cause.errno in _CLOSED:
        return cause.strerror or str(cause)
    return ""
