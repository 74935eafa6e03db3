"""`potmodels why`: each step from a name, a preset or a test to the bytes on disk."""

from pathlib import Path
from typing import Any

import pytest
from cli.harness import NAME, Cli
from standin import Repo


def steps(cli: Cli, *words: str, code: int = 0) -> list[dict[str, str]]:
    (chain,) = cli.json("why", *words, code=code)
    found: list[dict[str, str]] = chain["steps"]
    return found


def said(found: list[dict[str, str]]) -> dict[str, str]:
    return {step["what"]: f"{step['said']} {step['where']}".strip() for step in found}


def test_an_alias_leads_to_the_catalog_and_that_to_the_hub(cli: Cli) -> None:
    assert said(steps(cli, "bert")) == {
        "alias": "'bert' is 'bert-base-uncased' catalog.toml [aliases]",
        "catalog": "'bert-base-uncased' is a model catalog.toml [models.bert-base-uncased]",
        "means": "huggingface:bert-base-uncased",
        "lock": "there is no lock file",
        "setting": said(steps(cli, "bert"))["setting"],
        "cache": f"it is not in {cli.cache}",
    }


def test_an_entry_of_the_user_is_named_by_file_and_line(cli: Cli, stored: Path) -> None:
    cli.configure('preset = "test"\n\n[models.mine]\nsource = "huggingface"\nname = "org/tiny"\n')
    found = said(steps(cli, "mine"))
    assert found["catalog"] == f"'mine' is a model {cli.folder / 'potmodels.toml'}:3"
    assert found["means"] == NAME
    assert found["entry"].endswith(str(stored))


def test_a_preset_leads_to_each_of_its_models(cli: Cli, stored: Path) -> None:
    cli.configure(f'[presets.nightly]\nvision = "resnet18"\nlanguage = "{NAME}"\n')
    vision, language = cli.json("why", "nightly")
    assert vision["steps"][0] == {
        "what": "preset",
        "said": "nightly's vision model is 'resnet18'",
        "where": f"{cli.folder / 'potmodels.toml'}:2",
    }
    assert (vision["asked"], vision["files"]) == ("nightly", [])
    assert language["name"] == "org/tiny"
    assert len(language["files"]) == 3


def test_every_byte_has_where_it_came_from(cli: Cli, stored: Path, tiny: Repo) -> None:
    found = steps(cli, NAME)
    files = [(step["said"], step["where"]) for step in found if step["what"] == "file"]
    page = f"{cli.site.hub.url}/org/tiny/resolve/{tiny.sha}"
    assert files[1] == ("model.safetensors, 102.4 kB: downloaded", f"{page}/model.safetensors")
    revision = said(found)["revision"]
    assert revision == f"{tiny.sha}, asked for as the default"


def test_the_lock_is_named_by_file_and_line(cli: Cli, stored: Path, tiny: Repo) -> None:
    cli.run("lock", NAME)
    lock = cli.folder / "potmodels.lock"
    line = 1 + lock.read_text().splitlines().index("[[model]]")
    assert said(steps(cli, NAME))["lock"] == f"pinned to {tiny.sha} {lock}:{line}"
    assert said(steps(cli, "bert"))["lock"] == f"it is not locked {lock}"


def test_settings_that_decide_are_named_with_where_they_are_from(cli: Cli) -> None:
    found = [step for step in steps(cli, "resnet18", "--offline") if step["what"] == "setting"]
    assert {"what": "setting", "said": "network=block", "where": "--offline"} in found
    assert ("cache_dir", "POT_CACHE_DIR") in {
        (step["said"].partition("=")[0], step["where"]) for step in found
    }


def test_the_text_has_a_step_per_line(cli: Cli, stored: Path) -> None:
    lines = cli.run("why", NAME, "resnet18").stdout.splitlines()
    assert lines[0] == f"asked      {NAME!r}"
    assert lines[1] == f"identifier {NAME!r} names its source: nothing is looked up"
    assert lines[lines.index("") + 1] == "asked      'resnet18'"


def test_a_name_that_means_nothing_is_an_error_and_the_others_go_on(cli: Cli) -> None:
    (chain,) = cli.json("why", "bertt", "bert", code=2)
    assert chain["asked"] == "bert"


TESTS = """
import pytest

@pytest.mark.requires_model("huggingface:org/tiny")
class TestIt:
    def test_marked(self, language_model):
        raise AssertionError("it is only collected")

@pytest.mark.pot_preset("paper")
def test_preset(vision_model): ...

def test_none(): ...
"""


@pytest.mark.parametrize(
    ("node", "because", "name"),
    [
        (
            "test_it.py::TestIt::test_marked",
            f'language_model: requires_model("{NAME}") on its class or module',
            "org/tiny",
        ),
        ("test_it.py::test_preset", "vision_model: preset 'paper', by pot_preset", "resnet18"),
    ],
    ids=["mark", "preset"],
)
def test_a_test_is_asked_for_the_mark_that_names_the_model(
    cli: Cli, stored: Path, monkeypatch: Any, node: str, because: str, name: str
) -> None:
    for key, value in cli.environ.items():
        monkeypatch.setenv(key, value)
    (cli.folder / "test_it.py").write_text(TESTS)
    (chain,) = cli.json("why", node)
    assert chain["steps"][0] == {"what": "test", "said": because, "where": ""}
    assert chain["asked"] == node
    assert name in said(chain["steps"])["means"]


def test_a_test_without_a_model_is_an_error(cli: Cli) -> None:
    (cli.folder / "test_it.py").write_text(TESTS)
    assert "asks for no model" in cli.fails("why", "test_it.py::test_none", code=2)
