"""What `doctor` says of the cache folder."""

import os
from pathlib import Path

import pytest
from cli.harness import Cli

from pytest_potmodels.cli.doctor import cache
from pytest_potmodels.cli.doctor.finding import Finding
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.layout import Layout


def found(folder: Path) -> dict[str, Finding]:
    return {each.check: each for each in cache.check(ModelStore(Layout.at(folder)))}


def test_a_cache_with_models(cli: Cli, stored: Path) -> None:
    said = found(cli.cache)
    assert [each.status for each in said.values()] == ["ok"] * 5
    assert said["models"].said == "1 model, 102.4 kB"
    assert said["locks"].said == "file locks work"
    assert " free in " in said["disk"].said


def test_a_cache_that_is_not_there_yet_is_not_created(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    assert "(not there yet)" in found(folder)["cache"].said
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_its_place_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert found(tmp_path / "file" / "cache")["cache"].status == "fail"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="permissions do not bind root")
def test_a_read_only_cache_is_a_warning_where_it_holds_models(cli: Cli, stored: Path) -> None:
    cli.cache.chmod(0o555)
    try:
        assert found(cli.cache)["cache"].status == "warn"
    finally:
        cli.cache.chmod(0o755)


def test_a_damaged_entry_is_a_failure_that_names_it(cli: Cli, stored: Path) -> None:
    (stored / "model_info.json").unlink()
    said = found(cli.cache)["models"]
    assert said.status == "fail"
    assert stored.name in said.said
    assert said.remedy == "potmodels verify --fix"


def test_leftovers_are_counted(cli: Cli, stored: Path) -> None:
    Layout.at(cli.cache).stage("huggingface_x@1").mkdir(parents=True)
    assert "1 leftover" in found(cli.cache)["models"].said
