"""The variables that bound the cache: seed names, and the same rules as for all settings."""

from pathlib import Path

import pytest

from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.settings import any_variable
from pytest_potmodels.settings.resolution import resolve

THRESHOLD, DAYS = "CACHE_CLEANUP_THRESHOLD", "CACHE_CLEANUP_MIN_AGE_DAYS"


def test_nothing_is_cleaned_up_unless_a_threshold_is_set(tmp_path: Path) -> None:
    settings = resolve({}, {}, tmp_path)
    assert (settings.cleanup_threshold, settings.cleanup_min_age_days) == (None, 14.0)
    assert resolve({}, {DAYS: "3"}, tmp_path).cleanup_threshold is None


def test_the_variables_go_before_the_file(tmp_path: Path) -> None:
    table = "[tool.potmodels]\ncleanup_threshold = 50\ncleanup_min_age_days = 0.5\n"
    (tmp_path / "pyproject.toml").write_text(table)
    settings = resolve({}, {}, tmp_path)
    assert (settings.cleanup_threshold, settings.cleanup_min_age_days) == (50.0, 0.5)
    assert settings.origins["cleanup_threshold"].endswith("pyproject.toml:2")
    settings = resolve({}, {THRESHOLD: "1.5", DAYS: "0"}, tmp_path)
    assert (settings.cleanup_threshold, settings.cleanup_min_age_days) == (1.5, 0.0)
    assert settings.origins["cleanup_threshold"] == THRESHOLD


@pytest.mark.parametrize(
    ("name", "value"),
    [(THRESHOLD, "0"), (THRESHOLD, "50GB"), (THRESHOLD, "-1"), (THRESHOLD, "nan"),
     (DAYS, "two"), (DAYS, "-1"), (DAYS, "1e3")],
)  # fmt: skip
def test_a_value_that_cannot_be_meant_names_the_variable(
    tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(UsageError, match=f"{name}: '{value}' is no number of"):
        resolve({}, {name: value}, tmp_path)


@pytest.mark.parametrize(
    "name", ["CACHE_CLEANUP_TRESHOLD", "POT_CACHE_CLEANUP_THRESHOLD", "POT_CLEANUP_THRESHOLD"]
)
def test_a_name_that_is_almost_right_is_a_mistake(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnknownNameError, match=f"Did you mean '{THRESHOLD}'"):
        resolve({}, {name: "50"}, tmp_path)


def test_a_variable_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    assert resolve({}, {"CACHE_CLEANUP_ENABLED_BY": "cron"}, tmp_path).origins == {}


def test_either_variable_has_the_settings_worked_out_at_the_start() -> None:
    assert any_variable({THRESHOLD: "50"})
    assert any_variable({DAYS: "3"})
