"""Hooks that a conftest.py or another plugin may implement."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_potmodels.artifacts import LoadedModel
    from pytest_potmodels.settings.values import Settings


@pytest.hookspec
def pytest_potmodels_configure(settings: "Settings") -> Mapping[str, Any] | None:
    """Extend the catalog: return tables `models` and `presets`, as of [tool.potmodels], or None.

    Called once per process, when the first name is looked up.
    """


@pytest.hookspec
def pytest_potmodels_model_loaded(model: "LoadedModel") -> None:
    """Called with every model that is handed to a test, mocks included."""
