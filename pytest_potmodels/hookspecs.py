"""Hooks that a conftest.py or another plugin may implement."""

from __future__ import annotations  # imported at every pytest start: evaluate no annotations

from typing import TYPE_CHECKING

from pytest import hookspec  # noqa: PT013  fewer names here are fewer names to search for hooks

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from pytest_potmodels.artifacts import LoadedModel
    from pytest_potmodels.settings.values import Settings


@hookspec
def pytest_potmodels_configure(settings: Settings) -> Mapping[str, Any] | None:
    """Extend the catalog: return tables `models` and `presets`, as of [tool.potmodels], or None.

    Called once per process, when the first name is looked up.
    """


@hookspec
def pytest_potmodels_model_loaded(model: LoadedModel) -> None:
    """Called with every model that is handed to a test, mocks included."""
