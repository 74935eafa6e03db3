"""The command group: names and one line each; a command's module is imported when it is called."""

import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from typing import Any, cast

import click

from pytest_potmodels import __version__
from pytest_potmodels.cli import exits
from pytest_potmodels.cli.console import escape_what_the_encoding_lacks
from pytest_potmodels.errors import UnknownNameError

#: Command -> ("module:attribute" below this package, its line in the overview).
COMMANDS = {
    "download": ("fetching:download", "Fetch models into the cache, verified."),
    "auto": ("fetching:auto", "The same as download."),
    "warm": ("fetching:warm", "Have models in the cache; fetch only what is not there."),
    "list": ("listing:list_models", "List the models in the cache."),
    "show": ("listing:show", "Show all that is on record about a model in the cache."),
    "why": ("why:why", "Say what led to the bytes of a model or of a test."),
    "verify": (
        "verifying:verify",
        "Hash every byte in the cache and compare with what was admitted.",
    ),
    "lock": ("locking.command:lock", "Pin a project's models: which revisions, which bytes."),
    "push": ("pushing:push", "Push models of the cache to the remote."),
    "export": ("exporting:export", "Export models to ONNX, each compared with its model."),
    "ensure": ("ensuring:ensure", "Have models' ONNX files, from the hub or converted."),
    "metadata": ("ensuring:metadata", "Show what a hub knows of models; fetch nothing."),
    "benchmark": ("benchmarking:benchmark", "Time models with PyTorch and with ONNX Runtime."),
    "remove": ("removing:remove", "Remove models from the cache."),
    "clear": ("removing:clear", "Empty the cache."),
    "prune": ("pruning:prune", "Remove what is old, unused or too much; show it first."),
    "catalog": ("describing:show_catalog", "List the names that models can be asked for by."),
    "config": ("describing:show_config", "Show every setting and where its value is from."),
    "doctor": ("doctor.command:doctor", "Check Python, packages, cache, network and token."),
    "ci": (
        "ci.command:ci",
        "Keep models between the jobs of a CI service: key, warm, prune.",
    ),
    "lut": ("lut.command:lut", "Train, measure, describe and export LUT networks."),
    "experiment": ("experimenting.command:experiment", "Run, compare and list experiments."),
}


class Program(click.Group):
    """Commands that are imported on dispatch; every error leaves through `exits`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order of the overview."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        found = getattr(import_module(f"{__package__}.{module}"), attribute)
        return cast(click.Command, found)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the overview without importing what it lists."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant.

        Raises:
            UnknownNameError: there is none of that name; with close matches.
        """
        if args[0] not in COMMANDS and not ctx.resilient_parsing:
            raise UnknownNameError(
                "command", args[0], COMMANDS, remedy="potmodels --help lists the commands"
            )
        return super().resolve_command(ctx, args)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,  # noqa: ARG002 - one name, also under `python -m`
        *rest: Any,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, tell of an error in two lines, and exit with its code."""
        words = list(sys.argv[1:] if args is None else args)
        run = partial(super().main, words, "potmodels", *rest, standalone_mode=False, **extra)
        if not standalone_mode:
            return run()
        escape_what_the_encoding_lacks(sys.stdout, sys.stderr)
        sys.exit(exits.exit_code(run, debug="--debug" in words))


@click.command(
    cls=Program,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: potmodels download resnet18 bert",
)
@click.version_option(__version__, prog_name="potmodels")
@click.pass_context
def potmodels(context: click.Context) -> None:
    """Real models for tests: fetch, list, verify and remove them.

    Each command has its own help: potmodels download --help
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
