"""Data by the name that a configuration's `dataset` has."""

from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_potmodels.errors import LUTError, LUTNameError
from pytest_potmodels.lut.training import digits, downloaded
from pytest_potmodels.lut.training.images import Dataset

#: Name -> the reader; it takes the folder that downloaded data are in.
_READERS: Mapping[str, Callable[[Path], Dataset]] = {
    "digits": lambda _folder: digits.read(),
    "mnist": downloaded.mnist,
    "cifar10": downloaded.cifar10,
}


def read_dataset(model: str, dataset: str | None, folder: Path) -> Dataset:
    """The data that the configuration of `model` names.

    Raises:
        LUTError: it names none, or a file of it is not there.
        LUTNameError: nobody knows it.
        MissingPackageError: scikit-learn, which brings the digits, is not installed.
    """
    known = ", ".join(_READERS)
    if dataset is None:
        raise LUTError(
            f"The configuration {model} names no dataset.", remedy=f"`dataset:` one of {known}"
        )
    if dataset not in _READERS:
        raise LUTNameError("dataset", dataset, _READERS, remedy=f"one of {known}")
    return _READERS[dataset](folder)
