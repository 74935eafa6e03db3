from pytest_potmodels.artifacts import LoadedModel, StoredModel
from pytest_potmodels.errors import (
    DigestMismatchError,
    MissingPackageError,
    ModelTooLargeError,
    PotModelsError,
    Reason,
    StoreError,
    UnavailableError,
    UnknownNameError,
    UsageError,
)
from pytest_potmodels.onnx_export.closeness import assert_onnx_close
from pytest_potmodels.session.by_name import fetch, load
from pytest_potmodels.settings.values import Settings

__version__: str

__all__ = [
    "DigestMismatchError",
    "LoadedModel",
    "MissingPackageError",
    "ModelTooLargeError",
    "PotModelsError",
    "Reason",
    "Settings",
    "StoreError",
    "StoredModel",
    "UnavailableError",
    "UnknownNameError",
    "UsageError",
    "__version__",
    "assert_onnx_close",
    "fetch",
    "load",
]
