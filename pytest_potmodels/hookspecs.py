"""Hooks that a conftest.py or another plugin may implement.

PYTEST_DONT_REWRITE: there is nothing to rewrite, and it would cost start-up.
"""

from __future__ import annotations  # imported at every pytest start: evaluate no annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from pytest_potmodels.artifacts import LoadedModel
    from pytest_potmodels.settings.values import Settings


def __dir__() -> list[str]:
    return [name for name in globals() if name[:7] == "pytest_"]  # Each other one costs start-up.


@pytest.hookspec
def pytest_potmodels_configure(settings: Settings) -> Mapping[str, Any] | None:
    """Extend the catalog: return tables `models` and `presets`, as of [tool.potmodels], or None.

    Called once per process, when the first name is looked up.
    """


@pytest.hookspec
def pytest_potmodels_model_loaded(model: LoadedModel) -> None:
    """Called with every model that is handed to a test, mocks included."""
