"""From what a caller has (texts, images, arrays, tensors) to what a model takes, and through it."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from pytest_potmodels.artifacts import LoadedModel
from pytest_potmodels.errors import UsageError

#: torchvision's transformers assert the size of an image; PIL meets a file that is cut when it is
#: asked for the pixels.
_OVER_DATA = (
    *(RuntimeError, TypeError, ValueError, LookupError),
    *(AssertionError, AttributeError, OSError),
)


def predict(loaded: LoadedModel, data: Any) -> Any:
    """What the model makes of the data, in evaluation mode and without gradients.

    Raises:
        UsageError: data that this model cannot take.
    """
    module: nn.Module = loaded.model
    with _blamed(loaded, data):
        arguments = _arguments(loaded, data)
    with torch.no_grad(), _blamed(loaded, data, f"it was given {_described(arguments)}; "):
        module.eval()
        if isinstance(arguments, Mapping):
            return module(**arguments)
        return module(arguments)


@contextlib.contextmanager
def _blamed(loaded: LoadedModel, data: Any, given: str = "") -> Iterator[None]:
    """Have what tokenizers, transforms and models raise over data be a UsageError."""
    try:
        yield
    except (UsageError, torch.OutOfMemoryError):
        raise  # Without memory, the data may well be what the model takes.
    except _OVER_DATA as error:
        raise UsageError(
            f"{loaded.id} cannot take this {type(data).__name__}: {type(error).__name__}: {error}",
            remedy=f"{given}{_wanted(loaded)}",
        ) from error


def _arguments(loaded: LoadedModel, data: Any) -> Any:
    if isinstance(data, Mapping):
        return {str(key): _argument(loaded, value) for key, value in data.items()}
    if _are(str, data):
        return _tokens(loaded, data)
    if _are_images(data):
        return _pixels(loaded, data)
    if isinstance(data, list | tuple) and data and not _is_number_or_list(data[0]):
        return _batch(loaded, data)
    return _tensor(loaded, data)


def _argument(loaded: LoadedModel, value: Any) -> Any:
    """A tensor; a switch such as `output_hidden_states=True` stays one."""
    return value if value is None or isinstance(value, bool) else _tensor(loaded, value)


def _tokens(loaded: LoadedModel, texts: Any) -> dict[str, torch.Tensor]:
    if loaded.tokenizer is None:
        raise UsageError(
            f"{loaded.id} has no tokenizer; it cannot take a text.", remedy=_wanted(loaded)
        )
    # A tuple would be a text and its pair to some tokenizers.
    texts = texts if isinstance(texts, str) else list(texts)
    # Without a padding token only texts of one length make a batch.
    padded = getattr(loaded.tokenizer, "pad_token", None) is not None
    tokens = loaded.tokenizer(texts, padding=padded, truncation=True, return_tensors="pt")
    return {key: _tensor(loaded, value) for key, value in tokens.items()}


def _pixels(loaded: LoadedModel, images: Any) -> Any:
    images = list(images) if isinstance(images, list | tuple) else [images]
    if loaded.transforms is not None:
        return torch.stack([_tensor(loaded, loaded.transforms(image)) for image in images])
    if loaded.processor is not None:
        made = loaded.processor(images=images, return_tensors="pt")
        return {key: _tensor(loaded, value) for key, value in made.items()}
    raise UsageError(
        f"{loaded.id} has no transforms; it cannot take an image.",
        remedy="give a tensor of the shape and scale that it was trained with",
    )


def _batch(loaded: LoadedModel, examples: Sequence[Any]) -> torch.Tensor:
    tensors = [_tensor(loaded, example) for example in examples]
    shapes = {tuple(tensor.shape) for tensor in tensors}
    if len(shapes) > 1:
        raise UsageError(
            f"A list is a batch of examples of one shape; these have {sorted(shapes)}.",
            remedy="predict them one by one, or bring them to one shape",
        )
    return torch.stack(tensors)


def _tensor(loaded: LoadedModel, value: Any) -> torch.Tensor:
    """On the model's device, and of its number type if it is a number with a fraction."""
    try:
        tensor = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise UsageError(
            f"{loaded.id} cannot take {type(value).__name__}: {error}", remedy=_wanted(loaded)
        ) from error
    like = next((each for each in loaded.model.parameters()), torch.empty(0))
    number_type = like.dtype if tensor.is_floating_point() else tensor.dtype
    return tensor.to(device=like.device, dtype=number_type)


def _are(kind: type, data: Any) -> bool:
    several = isinstance(data, list | tuple) and bool(data)
    return isinstance(data, kind) or (several and all(isinstance(each, kind) for each in data))


def _are_images(data: Any) -> bool:
    """Whether PIL made it; PIL itself need not be here for the question."""
    one = data[0] if isinstance(data, list | tuple) and data else data
    return any(base.__module__.startswith("PIL.") for base in type(one).__mro__)


def _is_number_or_list(value: Any) -> bool:
    return isinstance(value, bool | int | float | list | tuple)


def _described(arguments: Any) -> str:
    if isinstance(arguments, Mapping):
        return ", ".join(f"{key}: {_described(value)}" for key, value in arguments.items())
    if isinstance(arguments, torch.Tensor):
        return f"{arguments.dtype} of the shape {tuple(arguments.shape)}"
    return repr(arguments)


def _wanted(loaded: LoadedModel) -> str:
    if loaded.tokenizer is not None:
        return "give texts, or the mapping that its tokenizer makes"
    return "give a batch of images: a tensor of the shape (images, 3, height, width)"
