"""A plan of eviction, done: each step looks once more, under the locks, whether it still holds."""

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.errors import StoreError
from pytest_potmodels.store import usage
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.derived import DerivedModel, DerivedStore
from pytest_potmodels.store.eviction import Item, Plan, Step
from pytest_potmodels.store.leases import Heed


@dataclass(frozen=True)
class Done:
    """A step that was done, or why it was not; `failed` where nothing but the disk is to blame."""

    step: Step
    kept: str = ""
    failed: bool = False


class Removal:
    """Carries plans out on one cache.

    Args:
        store: the models.
        derived: what was made from them.
        heed: whose leases keep an item.
    """

    def __init__(self, store: ModelStore, derived: DerivedStore, *, heed: Heed) -> None:
        self._store = store
        self._derived = derived
        self._heed = heed

    def carry_out(self, plan: Plan) -> Iterator[Done]:
        """Do one step after the other; one that cannot be done is said, and the others go on."""
        for step in plan.remove:
            yield self._done(step)

    def _done(self, step: Step) -> Done:
        try:
            return Done(step, self._remove(step.item))
        except StoreError as error:
            return Done(step, error.message, failed=isinstance(error.__cause__, OSError))
        except FileNotFoundError:
            return Done(step, "it is gone already")

    def _remove(self, item: Item) -> str:
        """Remove an item; why not, if it is not what it was when the plan was made."""
        match item.of:
            case StoredModel() as stored:
                return self._model(item, stored)
            case DerivedModel() as derived:
                if self._derived.last_used(derived) > item.last_used:
                    return "it was used meanwhile"
                self._derived.remove(derived, heed=self._heed)
            case None:
                self._leftover(item)
        return ""

    def _model(self, item: Item, stored: StoredModel) -> str:
        # Nobody waits for a removal, and it waits for nobody who brings the model.
        with self._store.locked(stored.id, timeout=0), self._store.alone_with(stored, timeout=0):
            if usage.last_used(self._store.layout, item.name, stored.path) > item.last_used:
                return "it was used meanwhile"
            self._store.remove(stored, heed=self._heed)
        return ""

    def _leftover(self, item: Item) -> None:
        # One that is in neither list is gone already.
        if item.path in self._store.leftovers():
            self._store.discard(item.path)
        elif item.path in self._derived.leftovers():
            self._derived.discard(item.path)
