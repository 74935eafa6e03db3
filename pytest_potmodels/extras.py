"""Import an optional package on first use, or say which command installs it."""

import importlib
import importlib.util
from types import ModuleType

from pytest_potmodels.errors import MissingPackageError

#: Package -> (the name people know, the extra of this package that brings it).
_EXTRAS = {
    "torch": ("PyTorch", "vision"),
    "torchvision": ("Torchvision", "vision"),
    "transformers": ("Transformers", "language"),
    "onnx": ("ONNX", "onnx"),
    "onnxruntime": ("ONNX Runtime", "onnx"),
    "onnxscript": ("ONNX Script", "onnx"),
    "psutil": ("psutil", "onnx"),
    "duckdb": ("DuckDB", "benchmark"),
    "matplotlib": ("Matplotlib", "benchmark"),
    "numpy": ("NumPy", "lut"),
    "sklearn": ("scikit-learn", "lut"),
    "distributed": ("Dask's distributed", "dask"),
}
#: Package -> what pip calls it, where that is another name.
_ON_PIP = {"sklearn": "scikit-learn"}


def require(module: str) -> ModuleType:
    """Import `module`, or raise MissingPackageError with the pip line.

    Raises:
        MissingPackageError: not installed, or installed and broken; the cause is chained.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise missing(module, error) from error


def require_installed(package: str) -> None:
    """Raise what `require` would raise for a package that is not there, without an import.

    Raises:
        MissingPackageError: not installed.
    """
    if importlib.util.find_spec(package) is None:
        raise missing(package, ModuleNotFoundError(f"No module named {package!r}", name=package))


def missing(module: str, cause: Exception, *, extra: str = "") -> MissingPackageError:
    """The error for a package that cannot be imported; `extra` is one that brings it, too."""
    package = module.partition(".")[0]
    title, usual = _EXTRAS.get(package, (package, "all"))
    absent = isinstance(cause, ModuleNotFoundError) and cause.name == package
    why = "not installed" if absent else f"installed, but fails to import: {cause}"
    on_pip = _ON_PIP.get(package, package)
    return MissingPackageError(
        f"{title} not available ({why})",
        remedy=f"pip install {on_pip}    (or: pip install 'pytest-potmodels[{extra or usual}]')",
    )
