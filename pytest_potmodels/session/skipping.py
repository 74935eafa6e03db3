"""Tests that are skipped: for want of a model, or by marks, and then no model is fetched."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # The type of the exception has no public name.
    from _pytest.outcomes import Skipped
else:
    Skipped = pytest.skip.Exception

_MARKS = ("skip", "skipif", "xfail")


class WithoutModel(Skipped):
    """Skips the running test, like `pytest.skip`; the report tells it from a test's own skips."""


def will_run(item: pytest.Item) -> bool:
    """Whether neither marks nor unittest's decorators keep a test from running."""
    if unittest_skips(item):
        return False
    # By way of the plugin, because `-p no:skipping` runs what is marked.
    skipping = item.config.pluginmanager.get_plugin("skipping")
    if skipping is None or all(mark.name not in _MARKS for mark in item.iter_markers()):
        return True
    try:
        skip, xfail = skipping.evaluate_skip_marks(item), skipping.evaluate_xfail_marks(item)
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - a condition that cannot be meant
        return False  # The test's own set-up says so, and does not get as far as a model.
    return not skip and (xfail is None or xfail.run or item.config.option.runxfail)


def unittest_skips(item: pytest.Item) -> bool:
    """Whether unittest's own decorators skip a test; pytest finds that out after our set-up."""
    written = (getattr(item, "obj", None), getattr(item, "cls", None))
    return any(getattr(each, "__unittest_skip__", False) for each in written)
