"""Options that every command takes after its name, and the context they make."""

import contextlib
import logging
import sys
from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import click

from pytest_potmodels.cli.console import say
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.wording import SETTINGS
from pytest_potmodels.settings.options import ALL
from pytest_potmodels.settings.resolution import resolve_here

Callback = Callable[..., int | None]
Decorator = Callable[[Callback], Callback]

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, and only that.")


def common_options(function: Callback, *, without: tuple[str, ...] = ()) -> Callback:
    """Add the common options; the function gets an Invocation in their place, as its first.

    `without` names settings that have no option here, because their word means something else.
    """
    settings_here = [key for key in SETTINGS if key not in without]

    @click.pass_context
    @wraps(function)
    def run(context: click.Context, /, *, quiet: bool, debug: bool, **options: Any) -> int | None:
        given = {key: options.pop(key) for key in (*settings_here, "offline")}
        given |= {key: options.pop(key) for key in ("device", "remote") if key in options}
        # click's empty value of a repeatable option is (), which is not "not given" below.
        settings = resolve_here({key: value for key, value in given.items() if value})
        context.obj = Invocation(settings, quiet=quiet, debug=debug)
        with _logging(_level(context.obj)):
            return function(context.obj, **options)

    flags: tuple[Decorator, ...] = (
        click.option("--offline", is_flag=True, help="Do not use the network."),
        click.option("--quiet", is_flag=True, help="No progress and no messages but errors."),
        click.option("--debug", is_flag=True, help="Show each request; tracebacks of errors."),
    )
    decorated: Callback = run
    for decorator in reversed([*map(setting_option, settings_here), *flags]):
        decorated = decorator(decorated)
    return decorated


def setting_option(key: str) -> Decorator:
    """The option of a setting, as pytest has it, without `pot-`."""
    setting = next(option for option in ALL if option.key == key)
    words = f": {', '.join(setting.choices)}" if setting.choices else ""
    return click.option(
        f"--{key.replace('_', '-')}",
        key,
        is_flag=setting.is_switch or None,  # False would make the value optional.
        metavar=None if setting.is_switch else setting.metavar,
        multiple=key in ("mirror", "trust"),
        help=f"{setting.help[0].upper()}{setting.help[1:]}{words}.",
    )


class _ToMessages(logging.Handler):
    """Log lines among the messages, above progress bars."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            say(record.getMessage(), label=record.levelname.lower())
        else:
            say(f"{record.name}: {record.getMessage()}")


def _level(invocation: Invocation) -> int:
    if invocation.debug:
        return logging.DEBUG
    return logging.ERROR if invocation.quiet else logging.WARNING


@contextlib.contextmanager
def _logging(level: int) -> Iterator[None]:
    logger, handler = logging.getLogger("pytest_potmodels"), _ToMessages()
    before, propagated = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
        logger.propagate = propagated
        sys.stderr.flush()
