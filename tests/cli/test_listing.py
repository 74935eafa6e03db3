"""`potmodels list` and `potmodels show`."""

import json
from pathlib import Path

from cli.harness import FILES, NAME, Cli
from standin import Repo

from pytest_potmodels.store.derived import DerivedModel


def test_an_empty_cache_is_an_empty_list(cli: Cli) -> None:
    assert cli.json("list") == []
    assert cli.run("list").stdout == f"0 models, 0 bytes in {cli.cache}\n"
    assert not cli.cache.exists()  # Looking creates nothing.


def test_a_list_names_each_model_and_the_total(cli: Cli, stored: Path, tiny: Repo) -> None:
    cli.site.add_repo("org/other", FILES, license=None)
    cli.run("download", "huggingface:org/other")
    head, first, second, total = cli.run("list").stdout.splitlines()
    assert head.split() == ["MODEL", "REVISION", "KIND", "FILES", "SIZE", "LICENCE"]
    assert first.split()[0] == "huggingface:org/other"
    assert second.split() == [NAME, tiny.sha, "language", "3", "102.4", "kB", "apache-2.0"]
    assert total == f"2 models, 204.8 kB in {cli.cache}"


def test_what_was_derived_is_a_line_of_its_own_and_no_model(
    cli: Cli, derived: DerivedModel
) -> None:
    *_, total, also = cli.run("list").stdout.splitlines()
    assert total == f"1 model, 102.4 kB in {cli.cache}"
    assert also == "and 4.0 kB derived, made again when needed"
    assert [model["id"] for model in cli.json("list")] == [NAME]


def test_json_has_every_fact_of_the_manifest(cli: Cli, stored: Path, tiny: Repo) -> None:
    (model,) = cli.json("list")
    manifest = json.loads((stored / "model_info.json").read_text())
    del manifest["schema"], manifest["in_place"]
    assert {key: model[key] for key in manifest} == manifest
    assert model["size"] == sum(len(data) for data in FILES.values())
    assert (model["id"], model["path"], model["status"]) == (NAME, str(stored), "ok")
    traces = {"admitted", "last_used", "in_use_by", "derived"}
    assert set(cli.json("show", NAME)[0]) - set(model) == traces


def test_a_damaged_entry_is_listed_as_such(cli: Cli, stored: Path) -> None:
    manifest = stored / "model_info.json"
    manifest.chmod(0o644)
    manifest.write_text("{")
    (entry,) = cli.json("list")
    assert (entry["name"], entry["status"]) == ("huggingface_org--tiny", "damaged")
    assert (entry["source"], entry["revision"], entry["files"]) == (None, None, [])
    said = cli.run("list")
    assert "damaged" in said.stdout
    assert "warning: 1 entry without a readable manifest; potmodels verify" in said.stderr


def test_folders_that_are_not_ours_are_not_listed(cli: Cli, stored: Path) -> None:
    (cli.cache / "models" / "my_experiment").mkdir()
    assert len(cli.json("list")) == 1


def test_show_tells_origin_and_digest_of_each_file(cli: Cli, stored: Path, tiny: Repo) -> None:
    said = cli.run("show", NAME).stdout
    for path, blob in tiny.commits[tiny.sha].files.items():
        assert blob.sha256 in said
        assert f"{cli.site.hub.url}/org/tiny/resolve/{tiny.sha}/{path}" in said
    for fact in (tiny.sha, "(default)", "language", "transformers", "apache-2.0", str(stored)):
        assert fact in said


def test_show_as_json_is_an_array(cli: Cli, stored: Path) -> None:
    (model,) = cli.json("show", NAME)
    assert len(model["digest"]) == 64
    assert model["refs"] == [""]


def test_show_of_what_is_not_there_names_what_is_close(cli: Cli, stored: Path) -> None:
    said = cli.fails("show", "huggingface:org/tinny", code=3)
    assert f"huggingface:org/tinny is not in the cache {cli.cache}. There is {NAME}." in said
    assert cli.json("show", "huggingface:org/tinny", NAME, code=3)[0]["name"] == "org/tiny"


def test_show_of_a_damaged_entry_is_a_digest_mismatch(cli: Cli, stored: Path) -> None:
    manifest = stored / "model_info.json"
    manifest.chmod(0o644)
    manifest.write_text("{")
    assert "no readable manifest" in cli.fails("show", NAME, code=4)


def test_models_used_in_place_are_counted_apart(cli: Cli, stored: Path) -> None:
    mine = cli.folder / "mine"
    mine.mkdir()
    for path, data in FILES.items():
        (mine / path).write_bytes(data)
    cli.run("warm", "file:mine")
    *_, total, also = cli.run("list").stdout.splitlines()
    assert total == f"1 model, 102.4 kB in {cli.cache}"
    assert also == "and 1 model, 102.4 kB used where the files lie"
    assert len(cli.json("list")) == 2
