"""`potmodels download` and `potmodels warm`."""

import json
from pathlib import Path

import pytest
from cli.harness import FILES, NAME, Cli
from standin import FlippedByte, Repo, Status

WEIGHTS = b"weights of a network" * 1000
OWN = """
[models.mine]
source = "torchvision"
name = "squeezenet1_1"
weights = "https://download.pytorch.org/mine.pth"

[models.tiny]
source = "huggingface"
name = "org/tiny"
kind = "language"

[presets.minimal]
vision = "mine"
language = "tiny"
"""


@pytest.fixture
def own(cli: Cli, tiny: Repo) -> Cli:
    """A project whose preset is two small models, one of them from download.pytorch.org."""
    cli.site.add_download("/mine.pth", WEIGHTS)
    cli.configure(OWN)
    return cli


def test_a_downloaded_model_lies_in_the_cache(cli: Cli, tiny: Repo) -> None:
    said = cli.run("download", NAME)
    assert {path.name for path in cli.entry().iterdir()} == {*FILES, "model_info.json"}
    assert (cli.entry() / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert tiny.sha in said.stdout
    assert "fetched" in said.stdout
    assert f"1 model, 102.4 kB in {cli.cache}; " in said.stderr


def test_json_tells_model_files_and_digests(cli: Cli, tiny: Repo) -> None:
    (model,) = cli.json("download", NAME)
    assert (model["asked"], model["status"]) == (NAME, "fetched")
    assert (model["source"], model["name"]) == ("huggingface", "org/tiny")
    assert (model["revision"], model["path"]) == (tiny.sha, str(cli.entry()))
    assert {file["path"]: file["size"] for file in model["files"]} == {
        path: len(data) for path, data in FILES.items()
    }


def test_a_model_that_is_there_costs_no_request(cli: Cli, stored: Path) -> None:
    said = cli.run("download", NAME)
    assert "there" in said.stdout
    assert "0 requests, 0 bytes received" in said.stderr
    assert len(cli.site.log) == 0


def test_two_words_are_source_and_name(cli: Cli, tiny: Repo) -> None:
    assert cli.json("download", "hf", "org/tiny")[0]["name"] == "org/tiny"
    failed = cli.json("download", "torchvision", "resnet18", "vgg16", code=3)
    assert [each["asked"] for each in failed] == ["torchvision:resnet18", "torchvision:vgg16"]
    # One word is a name, also where a source is called so.
    assert "unknown model 'torchvision'" in cli.fails("download", "torchvision", code=2)


def test_torchvision_weights_come_through_the_mirror(own: Cli) -> None:
    del own.environ["POT_MIRRORS"]
    mirror = f"https://download.pytorch.org={own.site.downloads.url}"
    (model,) = own.json("download", "mine", "--mirror", mirror)
    assert own.site.log.gets("/mine.pth") == 1
    assert model["files"][0]["url"] == "https://download.pytorch.org/mine.pth"


def test_a_preset_is_all_its_models(own: Cli) -> None:
    done = own.json("download", "--preset", "minimal")
    assert [each["asked"] for each in done] == ["mine", "tiny"]
    assert {each["status"] for each in done} == {"fetched"}


def test_a_collection_is_a_preset_too_and_names_are_fetched_once(cli: Cli) -> None:
    failed = cli.json("download", "--preset", "basic", "resnet18", code=3)
    assert [each["asked"] for each in failed] == ["resnet18", "mobilenet_v2"]


def test_an_unknown_preset_has_close_matches(cli: Cli) -> None:
    assert "Did you mean 'basic'?" in cli.fails("download", "--preset", "basik", code=2)


def test_no_name_is_a_usage_error_with_an_example(cli: Cli) -> None:
    assert "potmodels download resnet18" in cli.fails("download", code=2)


def test_force_fetches_again_and_moves_to_the_newest_revision(
    cli: Cli, stored: Path, tiny: Repo
) -> None:
    (again,) = cli.json("download", NAME, "--force")
    assert again["status"] == "fetched"
    assert cli.site.log.gets("model.safetensors") == 1
    newest = tiny.commit({**FILES, "model.safetensors": b"other weights"})
    assert cli.json("download", NAME)[0]["revision"] != newest
    assert cli.json("download", NAME, "--force")[0]["revision"] == newest


def test_one_failure_does_not_stop_the_rest_and_gives_the_exit_code(cli: Cli, tiny: Repo) -> None:
    words = ("huggingface:org/absent", "resnet_18", NAME)
    done = cli.json("download", *words, code=3)
    assert [each["status"] for each in done] == ["failed", "failed", "fetched"]
    assert [each.get("exit_code") for each in done] == [3, 2, None]
    assert [each.get("reason") for each in done] == ["private-or-missing", "usage", None]
    table = cli.run("download", *words, code=3)
    assert "failed: private-or-missing" in table.stdout
    assert table.stderr.count("error: ") == 2
    assert table.stderr.count("  To mend it: ") == 2


def test_wrong_bytes_are_exit_code_4_and_the_worst(cli: Cli, tiny: Repo) -> None:
    cli.site.fault(FlippedByte(at=7), "model.safetensors", times=None)
    said = cli.fails("download", NAME, "huggingface:org/absent", code=4)
    assert "is not what was promised: expected sha256:" in said
    assert not cli.entry().exists()


def test_offline_says_what_closed_the_network(cli: Cli, tiny: Repo) -> None:
    said = cli.fails("download", NAME, "--offline", code=3)
    assert "the network is closed by --offline" in said
    assert f"potmodels download {NAME}" in said
    assert len(cli.site.log) == 0


def test_what_is_there_is_ready_offline(cli: Cli, stored: Path) -> None:
    assert cli.json("download", NAME, "--offline")[0]["status"] == "there"


def test_a_file_that_was_changed_is_mended_and_said(cli: Cli, stored: Path) -> None:
    file = stored / "model.safetensors"
    file.chmod(0o644)
    file.write_bytes(b"spoilt")
    said = cli.run("download", NAME)
    assert "warning: " in said.stderr
    assert file.read_bytes() == FILES["model.safetensors"]


def test_the_size_limit_does_not_bind_a_download_by_hand(cli: Cli, tiny: Repo) -> None:
    cli.environ["POT_MAX_SIZE"] = "1KB"
    assert cli.json("download", NAME)[0]["status"] == "fetched"


def test_a_mock_is_built_in(cli: Cli) -> None:
    (mock,) = cli.json("download", "mock-cnn")
    assert (mock["status"], mock["files"], mock["path"]) == ("built in", [], None)
    assert "built in" in cli.run("download", "mock-cnn").stdout


def test_warm_without_a_name_is_the_preset_in_force(own: Cli) -> None:
    first = own.run("warm")
    assert first.stdout.count("fetched") == 2
    second = own.run("warm")
    assert second.stdout.count("there") == 2
    assert "0 requests" in second.stderr
    assert "2 models" in second.stderr


def test_warm_needs_no_torch(own: Cli) -> None:
    done = own.process(
        "warm", "--json", imports=("torch", "torchvision", "transformers", "numpy", "rich")
    )
    assert {each["status"] for each in json.loads(done.stdout)} == {"fetched"}
    assert done.stderr.splitlines()[-1] == "imported:"


def test_quiet_says_nothing_but_errors(cli: Cli, tiny: Repo) -> None:
    done = cli.run("download", NAME, "--quiet")
    assert (done.stdout, done.stderr) == ("", "")
    assert cli.fails("download", "resnet_18", "--quiet", code=2).startswith("error: ")


def test_jobs_and_retries_reach_the_transfer(cli: Cli, tiny: Repo) -> None:
    cli.site.fault(Status(503), "model.safetensors", server="cdn", times=None)
    cli.fails("download", NAME, "--retries", "0", "--jobs", "1", code=3)
    assert cli.site.log.gets("model.safetensors") == 1


def test_a_model_of_the_users_own_cache_is_adopted_and_not_fetched(cli: Cli, tiny: Repo) -> None:
    snapshot = cli.folder / "hf" / "hub" / "models--org--tiny" / "snapshots" / tiny.sha
    snapshot.mkdir(parents=True)
    for path, data in FILES.items():
        (snapshot / path).write_bytes(data)
    (model,) = cli.json("download", NAME)
    assert model["status"] == "adopted"
    assert cli.site.log.gets("/resolve/") == 0
    (shown,) = cli.json("show", NAME)
    assert {file["came"] for file in shown["files"]} == {
        f"adopted from {snapshot / path}" for path in FILES
    }
    assert "adopted from" in cli.run("show", NAME).stdout
    assert cli.json("download", NAME)[0]["status"] == "there"
