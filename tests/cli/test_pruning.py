"""`potmodels prune`."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cli.harness import FILES, NAME, Cli
from lease_holders import lease_holders

from pytest_potmodels.store.derived import DerivedModel
from pytest_potmodels.store.layout import Layout
from pytest_potmodels.store.locks import held

OTHER = "huggingface:org/other"
DAY = 86400.0


@pytest.fixture
def other(cli: Cli, stored: Path) -> Path:
    """A second model, used after the first."""
    cli.site.add_repo("org/other", {**FILES, "model.safetensors": b"other"})
    cli.run("download", OTHER)
    return cli.entry("huggingface_org--other")


def age(cli: Cli, name: str, days: float) -> None:
    """Have an entry last used so long ago."""
    then = time.time() - days * DAY
    layout = Layout.at(cli.cache)
    folder = layout.derived if name.startswith("derived-") else layout.models
    manifest = folder / name.removeprefix("derived-") / "model_info.json"
    for place in (layout.used(name), manifest):
        os.utime(place, (then, then))


@pytest.fixture
def user(cli: Cli) -> Iterator[Callable[..., Any]]:
    """Start a process that uses entries; closing its stdin ends it."""
    with lease_holders(cli.cache) as start:
        yield start


def test_without_a_rule_nothing_that_works_goes(cli: Cli, stored: Path) -> None:
    said = cli.run("prune", "--yes")
    assert said.stderr == f"nothing to remove in {cli.cache}, 102.4 kB\n"
    assert stored.exists()


def test_an_empty_cache_is_not_created(cli: Cli) -> None:
    assert cli.json("prune", "--max-size", "0") == []
    assert not cli.cache.exists()


def test_age_removes_what_was_not_used(cli: Cli, stored: Path, other: Path) -> None:
    age(cli, stored.name, 40)
    said = cli.run("prune", "--older-than", "30d", "--yes")
    head, row = said.stdout.splitlines()
    assert head.split() == ["MODEL", "SIZE", "LAST", "USED", "WHY"]
    assert row.split()[:2] == ["remove", NAME]
    assert row.endswith("40 days ago  not used for 40 days")
    assert said.stderr == f"removed 1 folder, 102.4 kB, of {cli.cache}\n"
    assert not stored.exists()
    assert other.exists()


def test_a_use_makes_a_model_young_again(cli: Cli, stored: Path) -> None:
    age(cli, stored.name, 40)
    cli.run("warm", NAME)
    assert "nothing to remove" in cli.run("prune", "--older-than", "30d", "--yes").stderr


def test_looking_at_a_model_is_no_use(cli: Cli, stored: Path) -> None:
    age(cli, stored.name, 40)
    for words in (("list",), ("show", NAME), ("catalog",), ("prune",), ("verify",)):
        cli.run(*words)
    assert "removed 1 folder" in cli.run("prune", "--older-than", "30d", "--yes").stderr


def test_size_removes_the_least_recently_used(cli: Cli, stored: Path, other: Path) -> None:
    age(cli, other.name, 3)
    cli.run("prune", "--max-size", "102424", "--yes")
    assert (stored.exists(), other.exists()) == (True, False)


def test_derived_folders_go_before_models(cli: Cli, derived: DerivedModel, stored: Path) -> None:
    assert cli.json("prune", "--max-size", "105kB", "--yes")[0]["type"] == "derived"
    assert not derived.path.exists()
    assert stored.exists()


def test_derived_folders_alone(cli: Cli, derived: DerivedModel, stored: Path) -> None:
    said = cli.run("prune", "--derived", "--yes")
    assert "derived: made again when needed" in said.stdout
    assert not derived.path.exists()
    assert stored.exists()


def test_what_was_made_from_a_model_goes_with_it(
    cli: Cli, derived: DerivedModel, stored: Path
) -> None:
    age(cli, stored.name, 40)
    cli.run("prune", "--older-than", "30d", "--yes")
    assert not derived.path.exists()
    assert not stored.exists()


def test_a_dry_run_says_the_same_and_removes_nothing(cli: Cli, stored: Path) -> None:
    said = cli.run("prune", "--max-size", "0", "--dry-run")
    assert said.stdout.splitlines()[1].startswith("remove")
    assert said.stderr == f"would free 102.4 kB of 102.4 kB in {cli.cache}\n"
    (model,) = cli.json("prune", "--max-size", "0", "--dry-run")
    assert (model["action"], model["name"], model["size"]) == ("would remove", "org/tiny", 102424)
    assert stored.exists()


def test_json_says_what_became_of_each(cli: Cli, stored: Path, other: Path) -> None:
    found = cli.json("prune", "--max-size", "0", "--keep", OTHER, "--yes")
    assert [(each["name"], each["action"], each["why"]) for each in found] == [
        ("org/tiny", "removed", "the cache is too large, and this was used least recently"),
        ("org/other", "keep", "kept by name"),
    ]
    assert {"source", "revision", "files", "last_used", "path", "type"} <= set(found[0])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--max-size", "lots"), "--max-size: 'lots' is no size"),
        (("--older-than", "30"), "--older-than: '30' is no age; write 12h, 30d or 2w"),
        (("--lock",), "There is no potmodels.lock here"),
        (("--lock", "absent.lock"), "no lock file that can be read at absent.lock"),
        (("--lock", "empty.lock"), "empty.lock names no model: all of them would go"),
        (("--lock", "empty.lock", "--derived"), "--derived looks at no model, and --lock at"),
    ],
    ids=["size", "age", "no-lock", "absent-lock", "empty-lock", "derived-by-lock"],
)
def test_what_cannot_be_meant_removes_nothing(
    cli: Cli, stored: Path, words: tuple[str, ...], said: str
) -> None:
    (cli.folder / "empty.lock").write_text("version = 1\n")
    assert said in cli.fails("prune", *words, "--yes", code=2)
    assert stored.exists()


def test_a_name_to_keep_that_is_not_there_removes_nothing(cli: Cli, stored: Path) -> None:
    words = ("prune", "--max-size", "0", "--keep", "huggingface:org/tinny", "--yes")
    assert f"There is {NAME}" in cli.fails(*words, code=3)
    assert stored.exists()


def test_the_lock_says_which_models_stay(cli: Cli, stored: Path, other: Path) -> None:
    cli.run("lock", NAME)
    said = cli.run("prune", "--lock", "--yes")
    assert "not in potmodels.lock" in said.stdout
    assert (stored.exists(), other.exists()) == (True, False)


def test_without_a_terminal_prune_takes_yes(cli: Cli, stored: Path) -> None:
    said = cli.fails("prune", "--max-size", "0", code=2)
    assert "This would remove 1 folder, 102.4 kB" in said
    assert "potmodels prune --yes" in said
    assert stored.exists()


@pytest.mark.parametrize(("answer", "code", "there"), [("y", 0, False), ("n", 1, True)])
def test_on_a_terminal_prune_shows_the_plan_and_asks(
    terminal: Any,
    stored: Path,
    answer: str,
    code: int,
    there: bool,  # noqa: FBT001
) -> None:
    with terminal("prune", "--max-size", "0") as shown:
        shown.wait_for("org/tiny")
        shown.wait_for("Remove 1 folder")
        shown.press(f"{answer}\n")
        assert shown.end() == code
    assert stored.exists() == there


def test_what_a_running_process_uses_stays_until_it_ends(
    cli: Cli, derived: DerivedModel, stored: Path, user: Any
) -> None:
    child = user(stored.name, f"derived-{derived.key}")
    for _ in range(2):
        said = cli.run("prune", "--max-size", "0", "--yes")
        assert f"in use by process {child.pid} on" in said.stdout
        assert "nothing to remove" in said.stderr
    assert stored.exists()
    assert derived.path.exists()
    child.communicate("\n", timeout=30)
    cli.run("prune", "--max-size", "0", "--yes")
    assert not stored.exists()
    assert not derived.path.exists()


_USER = """
import sys
import pytest_potmodels as pot
print(pot.fetch(sys.argv[1]).path, flush=True)
sys.stdin.readline()
"""


def test_a_program_holds_what_it_has_fetched_by_name(cli: Cli, stored: Path) -> None:
    environ = {**os.environ, **cli.environ}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    command = [sys.executable, "-c", _USER, NAME]
    with subprocess.Popen(command, text=True, env=environ, **pipes) as program:
        assert program.stdout.readline().strip() == str(stored)  # type: ignore[union-attr]
        cli.run("prune", "--max-size", "0", "--yes")
        assert stored.exists()
        program.communicate("\n", timeout=30)
    cli.run("prune", "--max-size", "0", "--yes")
    assert not stored.exists()


def test_the_lease_of_a_killed_process_holds_nothing(cli: Cli, stored: Path, user: Any) -> None:
    child = user(stored.name)
    child.kill()
    child.wait()
    cli.run("prune", "--max-size", "0", "--yes")
    assert not stored.exists()
    assert list(Layout.at(cli.cache).leases.iterdir()) == []


def test_remove_and_clear_refuse_what_is_in_use_unless_forced(
    cli: Cli, stored: Path, other: Path, user: Any
) -> None:
    child = user(stored.name)
    said = cli.fails("remove", NAME, code=3)
    assert f"{NAME} is in use by process {child.pid} on" in said
    assert "--force" in said
    cli.fails("clear", "--yes", code=3)
    assert (stored.exists(), other.exists()) == (True, False)
    cli.run("remove", "--force", NAME)
    assert not stored.exists()


def test_a_model_on_its_way_in_is_not_waited_for(cli: Cli, stored: Path) -> None:
    with held(Layout.at(cli.cache).lock(stored.name), timeout=5):
        said = cli.run("prune", "--max-size", "0", "--yes")
    assert f"{NAME} stays: Waited too long for the lock of {stored.name}" in said.stderr
    assert stored.exists()


def test_leftovers_go_when_they_are_a_day_old(cli: Cli, stored: Path) -> None:
    layout = Layout.at(cli.cache)
    cut = layout.stage("huggingface_org--third@0123")
    cut.mkdir(parents=True)
    (cut / "model.safetensors.part").write_bytes(b"begun")
    assert "nothing to remove" in cli.run("prune", "--yes").stderr
    with pytest.MonkeyPatch.context() as later:
        later.setattr(time, "time", lambda: _now() + 2 * DAY)
        assert "left over, 2 days old" in cli.run("prune", "--yes").stdout
    assert not cut.exists()
    assert stored.exists()


_now = time.time
