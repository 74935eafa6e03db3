"""Options after the command: where values come from, and that the last word is the user's."""

from pathlib import Path

import pytest
from cli.harness import NAME, Cli
from standin import Repo


def settings(cli: Cli, *words: str) -> dict[str, tuple[object, str]]:
    shown = cli.json("config", *words)
    return {each["name"]: (each["value"], each["origin"]) for each in shown}


def test_an_option_goes_before_the_environment_and_that_before_the_file(cli: Cli) -> None:
    cli.configure("timeout = 5\nretries = 6\njobs = 7\n")
    cli.environ |= {"POT_RETRIES": "8", "POT_JOBS": "9"}
    found = settings(cli, "--jobs", "10")
    assert found["timeout"] == (5.0, f"{cli.folder / 'potmodels.toml'}:1")
    assert found["retries"] == (8, "POT_RETRIES")
    assert found["jobs"] == (10, "--jobs")


def test_the_cache_folder_is_an_option_of_each_command(cli: Cli, tiny: Repo) -> None:
    other = cli.folder / "other"
    cli.run("download", NAME, "--cache-dir", str(other))
    assert (other / "models" / "huggingface_org--tiny").is_dir()
    assert cli.json("list") == []
    assert len(cli.json("list", "--cache-dir", "other")) == 1


def test_mirrors_are_repeatable(cli: Cli) -> None:
    one, two = "https://a.example=https://b.example", "https://c.example=https://d.example"
    assert settings(cli, "--mirror", one, "--mirror", two)["mirror"] == ([one, two], "--mirror")


def test_no_mirror_on_the_command_line_leaves_the_variable(cli: Cli) -> None:
    assert settings(cli)["mirror"][1] == "POT_MIRRORS"


def test_a_configuration_file_can_be_named(cli: Cli, tmp_path: Path) -> None:
    named = tmp_path / "elsewhere.toml"
    named.write_text("jobs = 2\n")
    assert settings(cli, "--config", str(named))["jobs"] == (2, f"{named}:1")
    assert "check --config" in cli.fails("config", "--config", "absent.toml", code=2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--timeout", "soon"), "--timeout: 'soon' is no time"),
        (("--retries", "-1"), "--retries: '-1' is no whole number"),
        (("--jobs", "0"), "--jobs: '0' is no whole number"),
        (("--mirror", "here"), "--mirror: 'here' is no mirror"),
    ],
)
def test_a_value_that_cannot_be_meant_is_named_with_its_option(
    cli: Cli, words: tuple[str, str], said: str
) -> None:
    assert cli.fails("list", *words, code=2).startswith(f"error: {said}")


def test_a_misspelt_variable_is_an_error(cli: Cli) -> None:
    cli.environ["POT_TIMOUT"] = "5"
    assert "Did you mean 'POT_TIMEOUT'" in cli.fails("list", code=2)


def test_offline_closes_the_network(cli: Cli) -> None:
    assert settings(cli, "--offline")["network"] == ("block", "--offline")


def test_nothing_stays_on_the_loggers(cli: Cli, tiny: Repo) -> None:
    import logging  # noqa: PLC0415

    cli.run("download", NAME, "--debug")
    logger = logging.getLogger("pytest_potmodels")
    assert (logger.handlers, logger.level, logger.propagate) == ([], logging.NOTSET, True)
