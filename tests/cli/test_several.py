"""Several models at once, aliases, and a config.yaml: `download`, `auto`, `warm`."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from cli.harness import FILES, NAME, Cli
from standin import Repo, Slowed, Stalled, Status

NAMES = tuple(f"huggingface:org/m{number}" for number in range(3))
#: A repository as the hub has it: weights, and six small files that loading needs.
SEVEN = {
    "config.json": b'{"model_type": "bert"}',
    "generation_config.json": b"{}",
    "model.safetensors": bytes(300_000),
    "special_tokens_map.json": b"{}",
    "tokenizer.json": b"{}",
    "tokenizer_config.json": b"{}",
    "vocab.txt": b"a\nb\n",
}
YAML = "models:\n  download:\n    cache_dir: mine\n    auto_download: false\n"
HEAVY = ("torch", "torchvision", "transformers", "numpy", "huggingface_hub", "httpx2", "rich")


@pytest.fixture
def three(cli: Cli) -> Cli:
    for name in NAMES:
        files = {**FILES, "model.safetensors": FILES["model.safetensors"] + name.encode()}
        cli.site.add_repo(name.partition(":")[2], files)
    return cli


@pytest.fixture
def seven(cli: Cli) -> Repo:
    return cli.site.add_repo("org/seven", SEVEN)


def test_a_cold_download_takes_two_requests_per_file_and_two_more_at_most(
    cli: Cli, seven: Repo
) -> None:
    (model,) = cli.json("download", "hf:org/seven")
    assert {file["path"] for file in model["files"]} == set(SEVEN)
    asked = [request.path for request in cli.site.log]
    metadata = [path for path in asked if path.startswith("/api/models/")]
    assert len(metadata) <= 2
    assert len(asked) - len(metadata) <= 2 * len(SEVEN)


def test_a_warm_download_takes_none_and_imports_no_client(cli: Cli, seven: Repo) -> None:
    cli.run("download", "hf:org/seven")
    cli.site.log.clear()
    for command in ("download", "warm", "auto", "list"):
        words = (command,) if command == "list" else (command, "hf:org/seven", NAME)[:2]
        assert cli.process(*words, imports=HEAVY).stderr.splitlines()[-1] == "imported:"
    assert len(cli.site.log) == 0


def test_the_rows_come_in_the_order_of_the_names(three: Cli) -> None:
    three.site.fault(Slowed(100_000), "m0", server="cdn", times=None)
    done = three.json("download", *NAMES, "--jobs", "3")
    assert [each["asked"] for each in done] == list(NAMES)
    assert {each["status"] for each in done} == {"fetched"}


def test_one_failure_is_told_and_the_others_go_on(three: Cli) -> None:
    three.site.fault(Status(404), "m1", times=None)
    said = three.run("download", *NAMES, "resnet_18", code=3)
    assert said.stdout.count("fetched") == 2
    assert said.stderr.count("error: ") == 2
    assert three.json("download", *NAMES, "resnet_18", code=3)[1]["exit_code"] == 3


def test_a_log_names_the_model_in_each_line(three: Cli) -> None:
    lines = three.process("download", *NAMES).stderr.splitlines()
    complete = sorted(line.split(" complete")[0] for line in lines if " complete" in line)
    assert complete == sorted(f"{name}: {path}" for name in NAMES for path in FILES)


def test_a_terminal_shows_the_files_that_move_and_one_bar_for_all(
    terminal: Any, three: Cli
) -> None:
    three.site.fault(Slowed(100_000), "model.safetensors", server="cdn", times=None)
    with terminal("download", *NAMES, "--jobs", "3", columns=110) as shown:
        assert shown.end() == 0
    assert "3 models" in shown.text
    for name in NAMES:
        assert f"  {name}: model.safetensors" in shown.text
    assert shown.text.splitlines()[-1].startswith("3 models, 307.3 kB in")


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_stops_all_of_them_and_the_next_run_resumes(three: Cli) -> None:
    three.site.fault(Stalled(at=50_000), "model.safetensors", server="cdn", times=None)
    partial = three.cache / ".pot" / "partial"
    with three.start("download", *NAMES) as child:
        end = time.monotonic() + 30
        while [p.stat().st_size for p in partial.glob("*/model.safetensors.part")] != [50_000] * 3:
            assert time.monotonic() < end
            assert child.poll() is None
            time.sleep(0.02)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert err.splitlines()[-1].startswith("interrupted; what came in part is kept")
    assert "Traceback" not in err
    three.site.heal()
    three.site.log.clear()
    assert {each["status"] for each in three.json("download", *NAMES)} == {"fetched"}
    ranges = [each.headers.get("range") for each in three.site.log.select("/repos/", server="cdn")]
    assert ranges == ["bytes=50000-"] * 3


def test_auto_is_download_by_another_name(cli: Cli, tiny: Repo) -> None:
    assert cli.json("auto", NAME)[0]["status"] == "fetched"
    assert cli.json("auto", "hf", "org/tiny", "--force")[0]["status"] == "fetched"
    assert "No model is named" in cli.fails("auto", code=2)


def test_list_config_is_config_and_fetches_nothing(cli: Cli, tiny: Repo) -> None:
    plain = cli.run("config").stdout
    assert cli.run("download", "--list-config").stdout == plain
    assert cli.run("auto", NAME, "--list-config").stdout == plain
    assert cli.json("download", "--list-config") == cli.json("config")
    assert len(cli.site.log) == 0


def configured(cli: Cli, text: str = YAML) -> None:
    (cli.folder / "config.yaml").write_text(text)
    cli.environ["POT_CONFIG"] = "config.yaml"
    del cli.environ["POT_CACHE_DIR"]


def test_who_says_download_gets_it_also_without_auto_download(cli: Cli, tiny: Repo) -> None:
    configured(cli)
    said = cli.fails("warm", NAME, code=3)
    assert "closed by auto_download: false in config.yaml:4" in said
    assert f"To mend it: potmodels download {NAME} --config config.yaml" in said
    assert len(cli.site.log) == 0
    assert cli.json("download", NAME)[0]["status"] == "fetched"
    assert cli.json("warm", NAME)[0]["status"] == "there"
    assert "closed by --offline" in cli.fails("download", NAME, "--force", "--offline", code=3)


def test_the_list_of_models_follows_what_is_there(cli: Cli, tiny: Repo) -> None:
    configured(cli)
    cli.run("download", NAME)
    file = cli.folder / "mine" / "model_registry.json"
    assert list(json.loads(file.read_text())["models"]) == ["huggingface_org--tiny"]
    file.unlink()
    cli.run("list")
    assert file.exists()
    cli.run("remove", NAME)
    assert json.loads(file.read_text())["models"] == {}
    cli.run("download", NAME)
    cli.run("clear", "--yes")
    assert json.loads(file.read_text())["models"] == {}


def test_config_shows_what_the_yaml_says_and_where(cli: Cli) -> None:
    url = "      url:\n        verify_ssl: false\n        timeout_seconds: 90\n"
    off = "      huggingface:\n        enabled: false\n"
    configured(cli, YAML + "    sources:\n" + url + off)
    rows = {each["name"]: each for each in cli.json("config")}
    assert (rows["verify_ssl"]["value"], rows["url_timeout"]["value"]) == (False, 90.0)
    assert rows["url_timeout"]["origin"] == "config.yaml:8"
    assert rows["sources.huggingface"] == {
        "name": "sources.huggingface",
        "value": "disabled",
        "origin": "config.yaml:10",
    }
    assert rows["registry_file"]["value"] == "model_registry.json"
    assert rows["models_folder"]["value"] == str(cli.folder / "mine")
    shown = cli.run("config").stdout
    assert "90 s" in shown
    assert Path("mine").exists() is False
