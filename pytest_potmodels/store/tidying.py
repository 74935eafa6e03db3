"""Room after an admission, where `cleanup_threshold` asks for it; what goes is said."""

import logging
import time
from typing import TYPE_CHECKING

from pytest_potmodels.errors import StoreError
from pytest_potmodels.settings.values import Settings
from pytest_potmodels.store.cache import ModelStore

if TYPE_CHECKING:
    from pytest_potmodels.store.removal import Done

_log = logging.getLogger(__name__)
_GIGABYTE = 1000**3


def tidy(store: ModelStore, settings: Settings) -> None:
    """Remove what was used least recently, until the cache is below the threshold.

    What a running process uses stays, this one among them, and what was used in the last
    `cleanup_min_age_days` days. Trouble is said and is nobody's failure: the model is there.
    """
    if settings.cleanup_threshold is None:
        return
    try:
        _tidy(store, settings, settings.cleanup_threshold)
    except (StoreError, OSError) as error:
        _log.warning("cleanup (%s) was not possible: %s", _threshold(settings), error)


def _tidy(store: ModelStore, settings: Settings, threshold: float) -> None:
    # Most runs have no threshold, and do not import the rest.
    from pytest_potmodels.store.derived import DerivedStore  # noqa: PLC0415
    from pytest_potmodels.store.eviction import DAY, Rules, plan  # noqa: PLC0415
    from pytest_potmodels.store.removal import Removal  # noqa: PLC0415
    from pytest_potmodels.store.survey import survey  # noqa: PLC0415

    derived = DerivedStore(store.layout)
    limit = int(threshold * _GIGABYTE)
    rules = Rules(max_size=limit, min_age=settings.cleanup_min_age_days * DAY, sweep=False)
    found = plan(survey(store, derived, heed="all"), rules, now=time.time())
    left = found.size
    for done in Removal(store, derived, heed="all").carry_out(found):
        left -= _said(done, settings)
    if left > limit:
        _say_full(left, store, settings)


def _said(done: "Done", settings: Settings) -> int:
    """Say what became of a step; the bytes that it freed."""
    item = done.step.item
    if done.kept:
        _log.warning("cleanup: %s stays: %s", item.title, done.kept)
        return 0
    _log.warning("cleanup (%s): removed %s, %s", _threshold(settings), item.title, _size(item.size))
    return item.size


def _say_full(left: int, store: ModelStore, settings: Settings) -> None:
    _log.warning(
        "cleanup (%s): %s has %s, and nothing else may go: the rest is in use, or was used in the "
        "last %g days",
        _threshold(settings),
        store.layout.root,
        _size(left),
        settings.cleanup_min_age_days,
    )


def _threshold(settings: Settings) -> str:
    origin = settings.origins.get("cleanup_threshold", "cleanup_threshold")
    return f"{origin}: {settings.cleanup_threshold:g} GB"


def _size(count: int) -> str:
    return f"{count / _GIGABYTE:.1f} GB" if count >= _GIGABYTE else f"{count / 1e6:.1f} MB"
