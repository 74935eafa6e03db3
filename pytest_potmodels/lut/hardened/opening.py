"""Hardened networks by name or path."""

from pathlib import Path

from pytest_potmodels.errors import LUTError, LUTWeightsError
from pytest_potmodels.lut import pretrained_files
from pytest_potmodels.lut.configuration import ModelConfig
from pytest_potmodels.lut.hardened import reading
from pytest_potmodels.lut.hardened.network import HardenedNetwork

_SUFFIX = ".safetensors"


def load_hardened(source: str | Path) -> HardenedNetwork:
    """A hardened network; torch is not imported.

    Args:
        source: the name of a pretrained network, "[TYPE/]NAME", whose sha256 is checked; or the
            path of a `.hard.safetensors` file.

    Raises:
        LUTNameError: no pretrained network of that name.
        LUTWeightsError: it is known, and its hardened file is not there.
        LUTDigestError: the file is not the one that its YAML names.
        LUTError: no such file, damaged, or of another format.
    """
    _check_kind(source)
    if isinstance(source, Path) or source.endswith(_SUFFIX):
        return reading.read(Path(source))
    files = pretrained_files.find(source)
    named = ModelConfig.read_document(files.config).named_file("hardened")
    path, sha256 = named or (files.hardened, None)
    if path is None or not path.is_file():
        expected = path or files.config.with_suffix(".hard.safetensors")
        raise LUTWeightsError(
            f"there is no hardened form of {files.name!r}: expected {expected}.",
            remedy=f"of weights: harden(load_pretrained({source!r})).save({str(expected)!r}); "
            f"without: potmodels lut train {source}",
        )
    return reading.read(path, sha256)


def _check_kind(source: object) -> None:
    if not isinstance(source, str | Path):
        kind = type(source).__name__
        raise LUTError(f"a hardened network is loaded by a name or a path, got {kind}.")
