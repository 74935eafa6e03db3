"""Import torchvision even where it was built for another torch.

Such a torchvision cannot load its compiled operators, and its import then ends in
`RuntimeError: operator torchvision::nms does not exist` (pytorch/vision#8985, #9174),
because it describes two operators that nobody declared. transformers imports torchvision
wherever it is installed, so every transformers model fails with it. Declaring the schemas of
the two lets the import pass; classification models need neither. Calling them still fails,
with torchvision's own message about the mismatch.
"""

import importlib
import importlib.util
import logging
import threading
from types import ModuleType

import torch

from pytest_potmodels import extras

_LOGGER = logging.getLogger(__name__)
_NAMESPACE = "torchvision"
_SCHEMAS = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_DECLARING = threading.Lock()


def import_torchvision() -> ModuleType:
    """Import torchvision; a healthy one is left exactly as it is.

    An earlier import that failed in the same process does not matter: what it left behind
    is complete, and the module that failed was removed by Python.

    Raises:
        MissingPackageError: not installed, or broken in a way that schemas do not mend.
    """
    try:
        return importlib.import_module(_NAMESPACE)
    except ImportError as error:
        raise extras.missing(_NAMESPACE, error) from error
    except RuntimeError as error:
        if not any(f"operator {_NAMESPACE}::{name} " in str(error) for name in _SCHEMAS):
            raise extras.missing(_NAMESPACE, error) from error
        _declare_missing(error)
    try:
        return importlib.import_module(_NAMESPACE)
    except (ImportError, RuntimeError) as error:
        raise extras.missing(_NAMESPACE, error) from error


def import_transformers() -> ModuleType:
    """Import transformers, after a torchvision that it would import by itself.

    Raises:
        MissingPackageError: not installed, or installed and broken.
    """
    if importlib.util.find_spec(_NAMESPACE) is not None:
        import_torchvision()
    return extras.require("transformers")


def _declare_missing(cause: RuntimeError) -> None:
    """Declare those of the two operators that the dispatcher does not know."""
    with _DECLARING:
        known = getattr(torch.ops, _NAMESPACE)
        missing = [name for name in _SCHEMAS if not hasattr(known, name)]
        for name in missing:
            torch.library.define(f"{_NAMESPACE}::{name}", _SCHEMAS[name])
    if missing:
        _LOGGER.warning(
            "the installed torchvision was built for another torch than %s (%s); "
            "its classifiers work, its detection operators do not. "
            "To mend it: install the torchvision that belongs to this torch",
            torch.__version__,
            cause,
        )
