"""`lut export`: hardened networks as ONNX, and as the few kilobytes that numpy runs."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pytest_potmodels import extras
from pytest_potmodels.cli.console import put_json
from pytest_potmodels.cli.exits import Batch
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.lut.options import force_option, refuse_existing
from pytest_potmodels.cli.options import common_options, json_option
from pytest_potmodels.cli.tables import Table, put_table
from pytest_potmodels.errors import UsageError
from pytest_potmodels.transfer.disk import in_units

if TYPE_CHECKING:
    from pytest_potmodels.lut.hardened import HardenedNetwork

#: Form -> what the file's name ends in.
_FORMS = {"onnx": ".onnx", "safetensors": ".hard.safetensors"}


@click.command(epilog="Example: potmodels lut export digits_small --out onnx")
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option("--to", "form", type=click.Choice(tuple(_FORMS)), default="onnx", show_default=True,
              help="Which file: a graph of standard operations, or the bits alone.")  # fmt: skip
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              default=".", show_default=True, help="Where the files go.")  # fmt: skip
@force_option
@json_option
@common_options
def export(
    invocation: Invocation, names: tuple[str, ...], *, form: str, out: Path, force: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """Write the bits of LUT networks to files; an ONNX file has passed a comparison bit for bit."""
    if not names:
        raise UsageError("No model is named.", remedy="potmodels lut export digits_small")
    batch = Batch(invocation.debug)
    tried = [
        batch.attempt(name, partial(_exported, name, form, out, force=force)) for name in names
    ]
    found = [each for each in tried if each is not None]
    if as_json:
        put_json(found)
    elif not invocation.quiet:
        rows = [
            (each["name"], each["form"], in_units(each["size"]), each["file"]) for each in found
        ]
        put_table(Table(("model", "form", "size", "file"), tuple(rows), frozenset({"size"})))
    return batch.code


def _exported(name: str, form: str, out: Path, *, force: bool) -> dict[str, Any]:
    extras.require("numpy")
    from pytest_potmodels.lut import pretrained_files  # noqa: PLC0415
    from pytest_potmodels.lut.hardened import load_hardened  # noqa: PLC0415 - brings numpy

    files, network = pretrained_files.find(name), load_hardened(name)
    path = out / f"{files.config.stem}{_FORMS[form]}"
    refuse_existing([path] if path.exists() else [], force=force)
    if form == "onnx":
        facts = _write_onnx(network, path)
    else:
        network.save(path, overwrite=True)
        facts = {"sha256": network.digest}
    return {
        "name": files.name,
        "source": "lut",
        "revision": None,
        "form": form,
        "file": str(path),
        "files": [path.name],
        "size": path.stat().st_size,
        **facts,
    }


def _write_onnx(network: "HardenedNetwork", path: Path) -> dict[str, Any]:
    from pytest_potmodels.lut.hardened import load_heldout  # noqa: PLC0415 - as above
    from pytest_potmodels.lut.hardened.onnx_file import write_onnx  # noqa: PLC0415

    images = load_heldout().images
    fitting = images if images.shape[1] == network.input_size else None
    made = write_onnx(network, path, images=fitting, overwrite=True)
    return {"sha256": made.sha256, "opset": made.opset, "compared": made.samples}
