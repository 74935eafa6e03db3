"""One object per process, as long as the settings stay what they are."""

from pathlib import Path

import pytest

from pytest_potmodels.errors import UsageError
from pytest_potmodels.settings.latest import Latest
from pytest_potmodels.settings.values import Settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def made(settings: Settings) -> list[int]:
    return [settings.jobs]


def test_it_stays_while_the_settings_do(folder: Path) -> None:
    latest = Latest(made)
    assert latest.get() is latest.get()


def test_a_variable_the_file_and_the_folder_make_it_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    latest = Latest(made)
    first = latest.get()
    monkeypatch.setenv("POT_JOBS", "7")
    assert latest.get() == [7]
    monkeypatch.delenv("POT_JOBS")
    assert latest.get() is not first
    (folder / "potmodels.toml").write_text("jobs = 2\n")
    assert latest.get() == [2]
    (folder / "potmodels.toml").write_text("jobs = 3\n")
    assert latest.get() == [3]
    (folder / "below" / ".git").mkdir(parents=True)
    monkeypatch.chdir(folder / "below")
    assert latest.get() == [4]


def test_a_mistake_is_told_at_each_call(folder: Path) -> None:
    latest = Latest(made)
    (folder / "potmodels.toml").write_text("jobs = 0\n")
    for _ in range(2):
        with pytest.raises(UsageError, match=r"potmodels\.toml:1"):
            latest.get()
