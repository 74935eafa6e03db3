"""May a package extend the catalog? Never a wrong no."""

import sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import MetadataPathFinder, entry_points
from pathlib import Path
from zipfile import ZipFile

import pytest

from pytest_potmodels.catalog.installed import may_have

GROUP = "some_group"
DECLARED = f"[{GROUP}]\nname = module:TABLE\n"


@pytest.fixture(autouse=True)
def folders_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Find packages as Python does: importlib_metadata, which dask imports, puts its own finder
    into the place of Python's for the rest of the process.
    """
    others = [each for each in sys.meta_path if not hasattr(each, "find_distributions")]
    kept = [each for each in others if each is not PathFinder]
    monkeypatch.setattr(sys, "meta_path", [*kept, PathFinder])
    found = MetadataPathFinder.find_distributions
    monkeypatch.setattr(PathFinder, "find_distributions", found, raising=False)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "packages"
    made.mkdir()
    return made


def write(folder: Path, place: str, text: str = DECLARED) -> None:
    target = folder / place / "entry_points.txt"
    target.parent.mkdir(parents=True)
    target.write_text(text)


def test_a_folder_without_such_a_package_has_none(folder: Path) -> None:
    assert not may_have(GROUP, [str(folder), str(folder / "absent")])
    write(folder, "other-1.0.dist-info", f"[console_scripts]\nx = {GROUP}.y:z\n")
    (folder / "bare-1.0.dist-info").mkdir()
    assert not may_have(GROUP, [str(folder)])


@pytest.mark.parametrize(
    "place", ["mine-1.0.dist-info", "mine.egg-info", "mine-1.0-py3.11.egg/EGG-INFO"]
)
def test_a_package_that_declares_the_group_is_seen(folder: Path, place: str) -> None:
    write(folder, place)
    assert may_have(GROUP, [str(folder)])


def test_the_working_folder_is_on_the_path_as_an_empty_text(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "mine.egg-info")
    monkeypatch.chdir(folder)
    assert may_have(GROUP, [""])


def test_an_archive_may_hold_anything(folder: Path) -> None:
    with ZipFile(folder / "packages.zip", "w") as archive:
        archive.writestr("mine.py", "")
    assert may_have(GROUP, [str(folder / "packages.zip")])


def test_another_finder_may_find_anything(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Finder:
        @staticmethod
        def find_spec(*_args: object) -> ModuleSpec | None:
            return None

        @staticmethod
        def find_distributions(*_args: object) -> list[object]:
            return []

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    assert may_have(GROUP, [str(folder)])


def test_it_agrees_with_the_library_here() -> None:
    for group in ("pytest11", "console_scripts"):
        assert entry_points(group=group)
        assert may_have(group, sys.path)
