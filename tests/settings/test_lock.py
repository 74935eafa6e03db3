"""Which lock file is in force, and where the report goes."""

from pathlib import Path

import pytest

from pytest_potmodels.errors import UsageError
from pytest_potmodels.lockfile.reading import read
from pytest_potmodels.settings.resolution import resolve


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_projects_own_lock_is_found(here: Path) -> None:
    assert resolve({}, {}, here).lock is None
    (here / "potmodels.lock").touch()
    settings = resolve({}, {}, here)
    assert settings.lock == here / "potmodels.lock"
    assert settings.non_defaults() == [f"lock={settings.lock} (found)"]


def test_what_stands_in_its_place_is_not_passed_over(here: Path) -> None:
    (here / "potmodels.lock").mkdir()
    assert resolve({}, {}, here).lock == here / "potmodels.lock"
    with pytest.raises(UsageError, match="no plain file"):
        read(here / "potmodels.lock")


def test_it_lies_beside_the_configuration(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    below = here / "below"
    below.mkdir()
    (here / "potmodels.toml").touch()
    for folder in (here, below):
        (folder / "potmodels.lock").touch()
    monkeypatch.chdir(below)
    assert resolve({}, {}, below).lock == here / "potmodels.lock"


def test_without_a_configuration_the_current_folder_counts_too(
    here: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (here / "potmodels.lock").touch()
    assert resolve({}, {}, tmp_path_factory.getbasetemp()).lock == here / "potmodels.lock"


def test_a_file_that_is_named_goes_first(here: Path) -> None:
    (here / "potmodels.lock").touch()
    (here / "potmodels.toml").write_text('lock = "locks/a.lock"\nlocked = true\n')
    settings = resolve({}, {}, here)
    assert (settings.lock, settings.locked) == (here / "locks" / "a.lock", True)
    assert resolve({}, {"POT_LOCK": "b.lock"}, here).lock == here / "b.lock"
    assert resolve({"lock": "c.lock"}, {"POT_LOCK": "b.lock"}, here).lock == here / "c.lock"


def test_none_is_no_lock_and_nothing_beyond_it(here: Path) -> None:
    (here / "potmodels.lock").touch()
    settings = resolve({"lock": "none"}, {"POT_LOCKED": "1"}, here)
    assert (settings.lock, settings.locked) == (None, False)


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ({"POT_LOCKED": "maybe"}, "POT_LOCKED: 'maybe' is neither true nor false"),
        ({"POT_REPORT": "report.html"}, "ends in .html"),
        ({"POT_REPORT": "report"}, "ends in no suffix"),
        ({"POT_LOKC": "1"}, "unknown variable 'POT_LOKC'"),
    ],
)
def test_what_cannot_be_meant_is_an_error(here: Path, variable: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError, match=said) as raised:
        resolve({}, variable, here)
    assert "report" not in said or ".json" in raised.value.remedy


def test_a_report_is_relative_to_who_says_so(here: Path) -> None:
    assert resolve({"report": "out/r.json"}, {}, here).report == here / "out" / "r.json"
    assert resolve({}, {}, here).report is None
