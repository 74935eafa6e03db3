"""`lut info`: which LUT networks there are, and all that is known of one."""

from functools import partial
from typing import Any

import click

from pytest_potmodels.cli.console import put, put_json
from pytest_potmodels.cli.exits import Batch
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.options import common_options, json_option
from pytest_potmodels.cli.tables import Table, put_table
from pytest_potmodels.transfer.disk import in_units

_COLUMNS = ("model", "layer", "node", "luts", "dataset", "hard %", "soft %", "hardened")
_FIGURES = frozenset({"luts", "hard %", "soft %", "hardened"})
_HARDENED = ".hard.safetensors"


@click.command("info", epilog="Example: potmodels lut info digits_small")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@json_option
@common_options
def info(invocation: Invocation, names: tuple[str, ...], *, as_json: bool) -> int:
    """Show configuration, metrics, recipe and files of LUT networks (default: list all).

    Searched are ./pretrained, the folders of POT_LUT_PATH, and what this package brings.
    """
    from pytest_potmodels.lut import get_pretrained_model_info, list_pretrained_models  # noqa: PLC0415 - brings yaml

    batch = Batch(invocation.debug)
    asked = names or tuple(list_pretrained_models())
    tried = [batch.attempt(name, partial(get_pretrained_model_info, name)) for name in asked]
    found = [each for each in tried if each is not None]
    if as_json:
        put_json([{"source": "lut", "revision": None, **each} for each in found])
    elif names:
        put("\n\n".join("\n".join(_facts(each)) for each in found))
    else:
        put_table(Table(_COLUMNS, tuple(map(_row, found)), _FIGURES))
    return batch.code


def _row(known: dict[str, Any]) -> tuple[str, ...]:
    metrics = known.get("metrics") or {}
    hardened = [size for name, size in known["files"].items() if name.endswith(_HARDENED)]
    return (
        known["name"],
        known["layer_type"],
        known["node_type"],
        str(sum(known["layer_widths"])),
        known["dataset"] or "-",
        *(f"{metrics[key]:.2f}" if key in metrics else "-" for key in ("hard", "soft")),
        in_units(hardened[0]) if hardened else "-",
    )


def _facts(known: dict[str, Any]) -> list[str]:
    """A fact per line; what a YAML says in a mapping is written as one."""
    files = [f"{name} ({in_units(size)})" for name, size in known["files"].items()]
    rest = {key: value for key, value in known.items() if key not in ("name", "folder", "files")}
    lines = [
        f"  {key:<16} {_words(value)}" for key, value in rest.items() if value not in (None, {})
    ]
    where = [f"  {'folder':<16} {known['folder']}", f"  {'files':<16} {', '.join(files)}"]
    return [known["name"], *where, *lines]


def _words(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case dict():
            return ", ".join(f"{key} {_words(each)}" for key, each in value.items())
        case list():
            return f"[{', '.join(map(_words, value))}]"
    return str(value)
