"""Files by URL that are kept and verified, and of which nothing here makes a model by itself."""

from typing import NoReturn

from pytest_potmodels.artifacts import LoadOptions, StoredModel
from pytest_potmodels.errors import Reason, UnavailableError


def build(stored: StoredModel, _options: LoadOptions) -> NoReturn:
    """Say what is missing.

    Raises:
        UnavailableError: NOT_LOADABLE, always.
    """
    named = [file.path for file in stored.files if file.path.endswith(".onnx")]
    path = stored.path / (named or [stored.files[0].path])[0]
    why = _ONNX if stored.format == "onnx" else _WEIGHTS
    name = stored.id.name if stored.id.source == "url" else str(stored.id)
    what, remedy = why[0], why[1].format(url=name, path=str(path))
    raise UnavailableError(
        f"{stored.id} is in the cache, verified, and cannot be loaded by itself: {what}.",
        reason=Reason.NOT_LOADABLE,
        remedy=remedy,
    )


_ONNX = (
    "it is ONNX, and no torch module",
    'the fixture onnx_model, or pot_models.onnx("{url}"), gives a session of it',
)
_WEIGHTS = (
    "a weights file does not say which network it belongs to, and a pickled model "
    "(torch.save(model)) would run code",
    "for a state dict of a torchvision network name that: {url}#architecture=resnet18, or in "
    '[tool.potmodels.models.NAME] source = "url", name = "{url}", architecture = "resnet18"; of '
    "a pickled model save the state dict; for all else pot_models.load(URL, build=FUNCTION) gives "
    "FUNCTION the folder",
)
