"""The hardened form beside a file of weights: it is of these weights, or it goes."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.hardened import reading
from pytest_potmodels.lut.hardened.hardening import harden
from pytest_potmodels.lut.hardened.network import HardenedNetwork
from pytest_potmodels.lut.new_file import write_new

SUFFIX = ".hard.safetensors"


def of(weights: Path) -> Path:
    """Where the hardened form of a file of weights lies."""
    return weights.with_suffix(SUFFIX)


def to_replace(model: Any, weights: Path, *, overwrite: bool) -> HardenedNetwork | None:
    """What has to stand in place of the hardened form that is there; None: nothing has to.

    Raises:
        LUTError: one is there, of other weights, and `overwrite` is not said, or none can be
            made of this network.
    """
    path = of(weights)
    if not path.is_file():
        return None
    network = replace(harden(model), name=model.config.pretrained_name or weights.stem)
    if _same(path, network):
        return None
    if not overwrite:
        raise LUTError(
            f"{path} is there already, and is of other weights.",
            remedy="remove it, another name, or overwrite=True, which writes it again",
        )
    return network


@contextlib.contextmanager
def replaced(path: Path, network: HardenedNetwork | None) -> Iterator[None]:
    """Take a hardened form away, and put the next there if the block succeeds; else itself."""
    if network is None:
        yield
        return
    before = path.read_bytes()
    path.unlink()  # Who is killed in the block leaves none, not one of other weights.
    try:
        yield
        network.save(path, overwrite=True)
    except BaseException:
        write_new(path, before, overwrite=True)
        raise


def _same(path: Path, network: HardenedNetwork) -> bool:
    try:
        return replace(reading.read(path), name=network.name).digest == network.digest
    except LUTError:
        return False
