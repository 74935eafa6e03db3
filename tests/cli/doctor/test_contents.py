"""What `doctor` says of what lies beside the models, and of the bounds of the cache."""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cli.harness import Cli

from pytest_potmodels.cli.doctor import contents, file_system, lock
from pytest_potmodels.cli.doctor.finding import Finding
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.settings.resolution import resolve
from pytest_potmodels.settings.values import Settings
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.derived import DerivedModel, DerivedStore
from pytest_potmodels.store.layout import Layout
from pytest_potmodels.store.leases import Leases


def found(cli: Cli, **settings: Any) -> dict[str, Finding]:
    layout = Layout.at(cli.cache)
    derived = DerivedStore(layout, second=cli.folder / "derived-elsewhere")
    said = contents.check(ModelStore(layout), derived, replace(Settings(), **settings))
    return {each.check: each for each in said}


def test_a_cache_that_is_not_there_yet_is_all_ok_and_not_created(cli: Cli) -> None:
    said = found(cli)
    assert [each.status for each in said.values()] == ["ok"] * 4
    assert not cli.cache.exists()


def test_derived_folders_are_counted_where_they_lie(cli: Cli, derived: DerivedModel) -> None:
    folder = derived.path.parent
    assert found(cli)["derived"].said == f"1 derived folder, 4.0 kB in {folder}"
    elsewhere = cli.folder / "derived-elsewhere"
    folder.rename(elsewhere)
    assert found(cli)["derived"].said == (
        f"0 derived folders, 0 bytes in {folder}; 1 derived folder, 4.0 kB in {elsewhere}"
    )


def test_leftovers_of_the_second_folder_are_seen_and_have_a_remedy(cli: Cli, stored: Path) -> None:
    layout = Layout.of_models_folder(cli.folder / "derived-elsewhere")
    layout.stage("derived-x@1").mkdir(parents=True)
    assert found(cli)["leftovers"] == Finding("leftovers", "ok", "1 leftover, younger than a day")
    with pytest.MonkeyPatch.context() as later:
        now = time.time()
        later.setattr(time, "time", lambda: now + 2 * 86400)
        stale = found(cli)["leftovers"]
    assert (stale.status, stale.remedy) == ("warn", "potmodels prune")


def test_who_uses_the_cache_is_named(cli: Cli, stored: Path) -> None:
    Leases(Layout.at(cli.cache)).take(stored.name)
    said = found(cli)["leases"].said
    assert said.startswith(f"process {os.getpid()} on ")
    assert said.endswith(" uses 1 folder")


def test_an_age_without_a_threshold_cleans_nothing_and_is_a_warning(cli: Cli) -> None:
    name = "CACHE_CLEANUP_MIN_AGE_DAYS"
    said = found(cli, cleanup_min_age_days=3.0, origins={"cleanup_min_age_days": name})["cleanup"]
    assert said.status == "warn"
    assert name in said.said
    assert "CACHE_CLEANUP_THRESHOLD" in said.remedy


def test_a_threshold_is_told_with_what_there_is(cli: Cli, stored: Path) -> None:
    said = found(cli, cleanup_threshold=50.0)["cleanup"].said
    assert said == "from 50 GB on, of what was not used for 14 days; now 102.4 kB"


def test_the_file_system_is_tried_out(tmp_path: Path) -> None:
    said = file_system.check(tmp_path)
    assert said.status in ("ok", "warn")
    assert " of their own" in said.said or "share their bytes" in said.said


@pytest.mark.skipif(not Path("/proc/self/mountinfo").exists(), reason="the list is Linux's")
def test_the_file_system_has_a_name(tmp_path: Path) -> None:
    assert file_system.kind_of(Path("/proc")) == "proc"
    assert file_system.kind_of(tmp_path)


def test_a_stale_name_in_the_lock_is_a_warning(cli: Cli, stored: Path) -> None:
    mine = '[models.mine]\nsource = "huggingface"\nname = "org/{}"\n'
    cli.configure(mine.format("tiny"))
    cli.run("lock", "mine")
    said = of_lock(cli)
    assert said.status == "ok"
    assert said.said.endswith("1 model, 1 of them in the cache")
    cli.configure(mine.format("other"))
    said = of_lock(cli)
    assert (said.status, said.remedy) == ("warn", "potmodels lock --update")
    assert "'mine' is huggingface:org/other now" in said.said
    cli.configure("")
    assert "'mine' means nothing now" in of_lock(cli).said


def of_lock(cli: Cli) -> Finding:
    invocation = Invocation(resolve({}, cli.environ, cli.folder))
    return lock.check(invocation.settings, invocation.store(), invocation.catalog())
