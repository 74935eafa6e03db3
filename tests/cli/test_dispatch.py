"""The command group: overview, help, unknown names, what is imported when."""

import subprocess
import sys

import click
import pytest
from cli.harness import Cli

from pytest_potmodels import __version__
from pytest_potmodels.cli.dispatch import COMMANDS, potmodels

HEAVY = ("torch", "transformers", "huggingface_hub", "httpx2", "httpx", "rich", "numpy", "yaml")


def command(name: str) -> click.Command:
    found = potmodels.get_command(click.Context(potmodels), name)
    assert found is not None
    return found


def test_the_overview_imports_nothing_heavy_and_no_command(cli: Cli) -> None:
    commands = [f"pytest_potmodels.cli.{where.partition(':')[0]}" for where, _ in COMMANDS.values()]
    done = cli.process("--help", imports=(*HEAVY, *commands, "pytest_potmodels.pipeline"))
    assert "imported:" in done.stderr
    assert done.stderr.split("imported:")[1].strip() == ""
    assert all(name in done.stdout and line in done.stdout for name, (_, line) in COMMANDS.items())


def test_help_of_a_command_imports_no_framework(cli: Cli) -> None:
    done = cli.process("download", "--help", imports=HEAVY)
    assert done.stderr.split("imported:")[1].strip() == ""


def test_without_a_command_the_overview_is_shown(cli: Cli) -> None:
    assert cli.run().stdout == cli.run("-h").stdout


def test_the_version_is_the_packages(cli: Cli) -> None:
    assert cli.run("--version").stdout == f"potmodels, version {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_its_line_of_the_overview_and_an_example(name: str) -> None:
    found = command(name)
    assert (found.help or "").splitlines()[0] == COMMANDS[name][1]
    assert (found.epilog or "").startswith(f"Example: potmodels {name}")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_takes_the_common_options(name: str) -> None:
    found = command(name)
    below = found.commands.values() if isinstance(found, click.Group) else [found]
    for each in below:
        flags = {flag for parameter in each.params for flag in parameter.opts}
        assert {"--cache-dir", "--offline", "--timeout", "--retries", "--jobs"} <= flags
        assert {"--mirror", "--config", "--debug", "--quiet"} <= flags


def test_an_unknown_command_has_close_matches(cli: Cli) -> None:
    said = cli.fails("downlod", code=2)
    assert said.startswith("error: unknown command 'downlod'. Did you mean 'download'?\n")
    assert "potmodels --help" in said


def test_an_unknown_option_is_a_usage_error(cli: Cli) -> None:
    said = cli.fails("list", "--jsn", code=2)
    assert said.startswith("error: No such option '--jsn'")
    assert "potmodels list --help" in said
    assert cli.fails("--jsn", code=2).startswith("error: ")


def test_the_package_can_be_run_as_a_module(cli: Cli) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest_potmodels", "nonsense"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "unknown command 'nonsense'" in done.stderr


def test_the_console_script_is_this_command() -> None:
    from importlib.metadata import entry_points  # noqa: PLC0415

    (script,) = entry_points(group="console_scripts", name="potmodels")
    assert script.value == "pytest_potmodels.cli:main"
