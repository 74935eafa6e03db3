"""Commands below a command, `experiment run`: a misspelt one is told with close matches."""

import click

from pytest_potmodels.errors import UnknownNameError


class Group(click.Group):
    """The same answer to a misspelt command as the program itself gives."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant.

        Raises:
            UnknownNameError: there is none of that name; with close matches.
        """
        if args[0] not in self.commands and not ctx.resilient_parsing:
            raise UnknownNameError(
                "command", args[0], self.commands, remedy=f"{ctx.command_path} --help lists them"
            )
        return super().resolve_command(ctx, args)
