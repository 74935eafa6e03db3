"""The outcome of a test that is skipped because its model cannot be had."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # The type of the exception has no public name.
    from _pytest.outcomes import Skipped
else:
    Skipped = pytest.skip.Exception


class WithoutModel(Skipped):
    """Skips the running test, like `pytest.skip`; the report tells it from a test's own skips."""
