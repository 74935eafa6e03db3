"""`potmodels remove` and `potmodels clear`."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from cli.harness import FILES, NAME, Cli
from standin import Repo

from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.derived import DerivedModel, DerivedStore
from pytest_potmodels.store.layout import Layout
from pytest_potmodels.store.locks import held


def damage(folder: Path) -> None:
    manifest = folder / "model_info.json"
    manifest.chmod(0o644)
    manifest.write_text("{")


def test_a_removed_model_is_gone_and_can_be_fetched_again(cli: Cli, stored: Path) -> None:
    assert f"removed {NAME}" in cli.run("remove", NAME).stderr
    assert not stored.exists()
    assert cli.json("list") == []
    assert cli.json("download", NAME)[0]["status"] == "fetched"


def test_a_model_is_removed_by_its_folder(cli: Cli, stored: Path) -> None:
    cli.run("remove", stored.name)
    assert not stored.exists()


def test_a_damaged_entry_is_removed_by_name_and_by_folder(cli: Cli, stored: Path) -> None:
    for name in (NAME, stored.name):
        cli.run("download", NAME)
        damage(stored)
        assert "removed the damaged entry" in cli.run("remove", name).stderr
        assert not stored.exists()


def test_removing_goes_on_after_a_name_that_is_not_there(cli: Cli, stored: Path) -> None:
    cli.fails("remove", "huggingface:org/absent", NAME, code=3)
    assert not stored.exists()


def test_a_model_used_in_place_is_only_forgotten(cli: Cli) -> None:
    mine = cli.folder / "mine"
    mine.mkdir()
    for path, data in FILES.items():
        (mine / path).write_bytes(data)
    assert cli.json("warm", "file:mine")[0]["status"] == "in place"
    assert len(cli.json("list")) == 1
    assert "its files stay" in cli.run("remove", "file:mine").stderr
    assert cli.json("list") == []
    assert len(list(mine.iterdir())) == len(FILES)


def test_only_the_revision_that_is_meant_is_removed(cli: Cli, stored: Path, tiny: Repo) -> None:
    tiny.tag("v1")
    tiny.commit({**FILES, "model.safetensors": b"newer"}, branch="next")
    cli.run("download", f"{NAME}@next")
    cli.run("remove", f"{NAME}@next")
    assert [model["revision"] for model in cli.json("list")] == [tiny.sha]


def test_what_was_derived_from_a_model_goes_with_it(
    cli: Cli, derived: DerivedModel, tiny: Repo
) -> None:
    tiny.commit({**FILES, "model.safetensors": b"newer"}, branch="next")
    cli.run("download", f"{NAME}@next")
    said = cli.run("remove", f"{NAME}@next").stderr
    assert "derived" not in said
    assert derived.path.exists()
    said = cli.run("remove", NAME).stderr
    assert (
        said
        == f"removed {NAME} ({derived.made_from.revision}, 102.4 kB), and 4.0 kB derived from it\n"
    )
    assert not derived.path.exists()
    assert list(derived.path.parent.iterdir()) == []


def test_what_was_derived_from_a_model_in_place_goes_and_its_files_stay(cli: Cli) -> None:
    mine = cli.folder / "mine"
    mine.mkdir()
    for path, data in FILES.items():
        (mine / path).write_bytes(data)
    cli.run("warm", "file:mine")
    layout = Layout.at(cli.cache)
    (source,) = ModelStore(layout).entries()
    made = DerivedStore(layout).admit("key", source, {}, lambda _stage: {}, timeout=5)
    said = cli.run("remove", "file:mine").stderr
    assert said.endswith("its files stay in " + f"{mine}, and 0 bytes derived from it\n")
    assert not made.path.exists()
    assert len(list(mine.iterdir())) == len(FILES)


def test_clear_counts_and_deletes_what_was_derived(cli: Cli, derived: DerivedModel) -> None:
    orphan = derived.path.with_name("orphan")
    shutil.copytree(derived.path, orphan)
    manifest = orphan / "model_info.json"
    manifest.chmod(0o644)
    manifest.write_text("{")
    said = cli.run("clear", "--yes").stderr
    assert f"1 model, 102.4 kB; 1 derived folder, 4.0 kB; 1 leftover in {cli.cache}\n" in said
    assert list(derived.path.parent.iterdir()) == []
    assert "nothing to delete" in cli.run("clear").stderr


def test_clear_deletes_what_was_derived_beside_a_cache_that_was_read_only(
    cli: Cli, derived: DerivedModel
) -> None:
    elsewhere = cli.folder / "derived-elsewhere"
    derived.path.parent.rename(elsewhere)
    cut = elsewhere / ".pot" / "partial" / "derived-other@0123"
    cut.mkdir(parents=True)
    cli.run("remove", NAME)
    assert sorted(path.name for path in elsewhere.iterdir()) == [".pot"]
    said = cli.run("clear", "--yes").stderr
    assert f"deleted: 1 leftover in {cli.cache} and {cut.parent}\n" in said
    assert not cut.exists()


def test_without_a_terminal_clear_takes_yes(cli: Cli, stored: Path) -> None:
    said = cli.fails("clear", code=2)
    assert "This would delete 1 model, 102.4 kB" in said
    assert "potmodels clear --yes" in said
    assert stored.exists()


def test_clear_leaves_nothing_of_ours_and_all_that_is_not(cli: Cli, stored: Path) -> None:
    site = cli.site
    other = site.add_repo("org/other", FILES)
    cli.run("download", f"huggingface:{other.id}")
    damage(cli.entry("huggingface_org--other"))
    cut = cli.cache / ".pot" / "partial" / "huggingface_org--third@0123"
    cut.mkdir(parents=True)
    (cut / "model.safetensors.part").write_bytes(b"begun")
    aside = cli.cache / ".pot" / "quarantine" / "bad-1"
    aside.parent.mkdir(parents=True, exist_ok=True)
    aside.write_bytes(b"bad")
    aside.chmod(0o444)
    foreign = cli.cache / "models" / "my_experiment"
    foreign.mkdir()
    said = cli.run("clear", "--yes").stderr
    assert "1 model, 102.4 kB; 1 damaged entry; 2 leftovers" in said
    assert list((cli.cache / "models").iterdir()) == [foreign]
    assert not cut.exists()
    assert not aside.exists()
    assert "nothing to delete" in cli.run("clear").stderr


def test_clear_does_not_take_a_download_from_another_process(cli: Cli, stored: Path) -> None:
    layout = Layout.at(cli.cache)
    cut = layout.stage("huggingface_org--third@0123")
    cut.mkdir(parents=True)
    with held(layout.lock("huggingface_org--third@files"), timeout=5):
        said = cli.fails("clear", "--yes", code=3)
    assert "held by process" in said
    assert cut.exists()
    assert not stored.exists()


@pytest.mark.parametrize(("answer", "code", "there"), [("y", 0, False), ("n", 1, True)])
def test_on_a_terminal_clear_asks(
    terminal: Any,
    stored: Path,
    answer: str,
    code: int,
    there: bool,  # noqa: FBT001
) -> None:
    with terminal("clear") as shown:
        shown.wait_for("Delete 1 model, 102.4 kB")
        shown.press(f"{answer}\n")
        assert shown.end() == code
    assert stored.exists() == there


def test_clear_counts_models_used_in_place_apart_and_leaves_their_files(
    cli: Cli, stored: Path
) -> None:
    mine = cli.folder / "mine"
    mine.mkdir()
    for path, data in FILES.items():
        (mine / path).write_bytes(data)
    cli.run("warm", "file:mine")
    said = cli.run("clear", "--yes").stderr
    assert "deleted: 1 model, 102.4 kB; the records of 1 model whose files stay in " in said
    assert len(list(mine.iterdir())) == len(FILES)
