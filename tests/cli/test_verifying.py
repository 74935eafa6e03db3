"""`potmodels verify`: every byte, every time."""

import json
import os
from pathlib import Path

import pytest
from cli.harness import FILES, NAME, Cli, spoil
from standin import Repo

from pytest_potmodels.store.derived import DerivedModel

WEIGHTS = "model.safetensors"


def test_a_whole_cache_is_ok(cli: Cli, stored: Path, tiny: Repo) -> None:
    done = cli.run("verify")
    assert done.stdout.splitlines()[1].split()[:3] == [NAME, "ok", tiny.sha]
    assert "1 model checked" in done.stderr
    assert len(cli.site.log) == 0


def test_a_changed_byte_is_exit_code_4_with_file_expected_and_found(
    cli: Cli, stored: Path, tiny: Repo
) -> None:
    spoil(stored / WEIGHTS)
    said = cli.fails("verify", code=4)
    expected = tiny.commits[tiny.sha].files[WEIGHTS].sha256
    assert f"digest mismatch in {stored / WEIGHTS}: expected sha256 {expected}, found " in said
    assert f"To mend it: potmodels verify --fix {NAME}\n" in said
    (entry,) = cli.json("verify", code=4)
    assert entry["status"] == "mismatch"
    (difference,) = entry["differences"]
    assert (difference["path"], difference["expected"]) == (WEIGHTS, expected)
    assert difference["found"] not in (expected, "")


def test_a_change_behind_unchanged_times_is_found(cli: Cli, stored: Path) -> None:
    file = stored / WEIGHTS
    before = file.stat()
    spoil(file)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    cli.fails("verify", code=4)


def test_an_absent_file_is_found(cli: Cli, stored: Path) -> None:
    (stored / "config.json").unlink()
    assert "config.json" in cli.fails("verify", code=4)
    assert "found no such file" in cli.fails("verify", NAME, code=4)


def test_without_fix_nothing_is_changed(cli: Cli, stored: Path) -> None:
    spoil(stored / WEIGHTS)
    bad = (stored / WEIGHTS).read_bytes()
    cli.fails("verify", code=4)
    assert (stored / WEIGHTS).read_bytes() == bad
    assert len(cli.site.log) == 0


def test_fix_fetches_only_the_bad_file_again(cli: Cli, stored: Path) -> None:
    spoil(stored / WEIGHTS)
    (entry,) = cli.json("verify", "--fix")
    assert (entry["status"], len(entry["differences"])) == ("fixed", 1)
    assert (stored / WEIGHTS).read_bytes() == FILES[WEIGHTS]
    assert cli.site.log.gets() == cli.site.log.gets(WEIGHTS) == 1
    assert cli.json("verify")[0]["status"] == "ok"


def test_fix_mends_an_old_revision_as_it_was(cli: Cli, stored: Path, tiny: Repo) -> None:
    first = tiny.sha
    tiny.commit({**FILES, WEIGHTS: b"newer"})
    cli.run("download", NAME, "--force")
    spoil(stored / WEIGHTS)
    done = cli.json("verify", "--fix")
    assert {(e["revision"], e["status"]) for e in done} == {(first, "fixed"), (tiny.sha, "ok")}
    assert (stored / WEIGHTS).read_bytes() == FILES[WEIGHTS]


def test_fix_without_network_is_a_mismatch_still(cli: Cli, stored: Path) -> None:
    spoil(stored / WEIGHTS)
    said = cli.fails("verify", "--fix", "--offline", code=4)
    assert "digest mismatch" in said
    assert "closed by --offline" in said


def test_a_damaged_manifest_is_reported_and_mended(cli: Cli, stored: Path) -> None:
    manifest = stored / "model_info.json"
    manifest.chmod(0o644)
    manifest.write_text("{")
    said = cli.fails("verify", code=4)
    assert f"{manifest} is no readable manifest" in said
    assert f"potmodels remove {stored.name}" in said
    (entry,) = cli.json("verify", code=4)
    assert (entry["name"], entry["status"]) == (stored.name, "damaged manifest")
    assert cli.json("verify", "--fix")[0]["status"] == "fixed"
    assert cli.json("list")[0]["status"] == "ok"


def test_what_cannot_be_fixed_does_not_stop_the_rest(cli: Cli, stored: Path) -> None:
    spoil(stored / WEIGHTS)
    lost = cli.entry("torchvision_nonsense")
    lost.mkdir()
    said = cli.run("verify", "--fix", "--json", code=4)
    statuses = {entry["name"]: entry["status"] for entry in json.loads(said.stdout)}
    assert statuses == {"org/tiny": "fixed", "torchvision_nonsense": "damaged manifest"}
    assert "unknown torchvision architecture 'nonsense'" in said.stderr
    assert "potmodels remove torchvision_nonsense" in said.stderr


def test_weights_of_ones_own_are_fixed_from_where_they_came(cli: Cli) -> None:
    url = "https://download.pytorch.org/mine.pth"
    cli.site.add_download("/mine.pth", FILES[WEIGHTS])
    cli.configure(f'[models.mine]\nsource = "torchvision"\nname = "vgg16"\nweights = "{url}"\n')
    cli.run("download", "mine")
    spoil(cli.entry("torchvision_vgg16") / "mine.pth")
    cli.configure("")
    assert cli.json("verify", "--fix")[0]["status"] == "fixed"


def test_a_manifest_that_climbs_out_of_its_folder_is_damaged(cli: Cli, stored: Path) -> None:
    manifest = stored / "model_info.json"
    manifest.chmod(0o644)
    manifest.write_text(manifest.read_text().replace('"config.json"', '"../../config.json"'))
    assert "no readable manifest" in cli.fails("verify", code=4)


def test_a_name_that_is_not_there_does_not_stop_the_others(cli: Cli, stored: Path) -> None:
    spoil(stored / WEIGHTS)
    checked = cli.json("verify", "huggingface:org/absent", NAME, code=4)
    assert [entry["status"] for entry in checked] == ["mismatch"]
    assert cli.json("verify", "huggingface:org/absent", code=3) == []


def test_a_changed_file_in_place_is_its_owners_affair(cli: Cli) -> None:
    mine = cli.folder / "mine"
    mine.mkdir()
    for path, data in FILES.items():
        (mine / path).write_bytes(data)
    cli.run("warm", "file:mine")
    spoil(mine / WEIGHTS)
    for words in (("verify",), ("verify", "--fix")):
        said = cli.fails(*words, code=4)
        assert "potmodels warm file:mine" in said
    cli.run("warm", "file:mine")
    assert cli.json("verify")[0]["status"] == "ok"


@pytest.mark.parametrize("words", [(), (NAME,)])
def test_what_was_derived_is_checked_with_its_model(
    cli: Cli, derived: DerivedModel, words: tuple[str, ...]
) -> None:
    said = cli.run("verify", *words).stderr
    assert "checking 0123-aligned (made from huggingface:org/tiny) (1 file, 4.0 kB)" in said
    assert "1 model and 1 derived folder checked" in said
    (entry,) = cli.json("verify", *words)
    assert entry["derived"] == [{"key": "0123-aligned", "status": "ok", "differences": []}]


def test_what_was_derived_and_is_damaged_is_set_aside_and_no_failure(
    cli: Cli, derived: DerivedModel
) -> None:
    spoil(derived.path / "weights.bin")
    done = cli.run("verify", "--json")
    (entry,) = json.loads(done.stdout)
    assert (entry["status"], entry["derived"][0]["status"]) == ("ok", "set aside")
    assert entry["derived"][0]["differences"][0]["path"] == "weights.bin"
    assert f"warning: {derived.path}: weights.bin: expected sha256 " in done.stderr
    assert "set aside, made again when needed" in done.stderr
    assert not derived.path.exists()
    assert cli.json("verify")[0]["derived"] == []


def test_what_was_derived_and_does_not_say_from_what_is_set_aside(
    cli: Cli, derived: DerivedModel
) -> None:
    (derived.path / "model_info.json").chmod(0o644)
    (derived.path / "model_info.json").write_text("{")
    assert derived.path.exists()
    cli.run("verify", NAME)
    assert derived.path.exists()
    assert "its manifest cannot be read" in cli.run("verify").stderr
    assert not derived.path.exists()


@pytest.mark.parametrize("words", [(), (NAME,)])
def test_an_empty_cache_is_checked_too(cli: Cli, words: tuple[str, ...]) -> None:
    assert cli.json("verify", *words, code=3 if words else 0) == []
