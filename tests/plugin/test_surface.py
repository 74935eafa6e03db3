"""pytest sees each hook and fixture of the plugin, and no other name: each one costs start-up."""

import types

from pytest_potmodels import hookspecs, plugin

HOOKS = ["pytest_addoption", "pytest_collection", "pytest_collection_modifyitems",
         "pytest_configure"]  # fmt: skip


def test_pytest_is_shown_every_hook_and_fixture() -> None:
    fixtures = [
        name
        for name, value in vars(plugin).items()
        if type(value).__name__ == "FixtureFunctionDefinition"
    ]
    hooks = [
        name
        for name, value in vars(plugin).items()
        if name.startswith("pytest_") and isinstance(value, types.FunctionType)
    ]
    assert sorted(hooks) == HOOKS
    assert len(fixtures) >= 9
    assert sorted(dir(plugin)) == sorted([*hooks, *fixtures])


def test_pytest_is_shown_every_specification() -> None:
    specified = [name for name, value in vars(hookspecs).items() if hasattr(value, "pytest_spec")]
    assert specified == dir(hookspecs) == [
        "pytest_potmodels_configure", "pytest_potmodels_model_loaded",
    ]  # fmt: skip
