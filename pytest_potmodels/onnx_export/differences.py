"""Outputs of a model beside those of its ONNX form: how far apart, and where."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from pytest_potmodels.artifacts import LoadedModel
from pytest_potmodels.loading.onnx_feed import feed
from pytest_potmodels.loading.onnx_files import TOLERANCE
from pytest_potmodels.loading.onnx_session import LoadedOnnx, ports
from pytest_potmodels.onnx_export.nearness import distances
from pytest_potmodels.onnx_export.outputs import tensors


@dataclass(frozen=True)
class Difference:
    """How far an output is from the model's, in words."""

    name: str
    said: str
    close: bool


def differences(torch_model: Any, onnx_model: Any, inputs: Any, limit: float) -> list[Difference]:
    """Each output of the ONNX form beside the model's.

    Raises:
        AssertionError: they do not have the same outputs.
        UsageError: inputs that the ONNX form does not take.
    """
    __tracebackhide__ = True
    found = _of_session(onnx_model, inputs)
    expected = _paired(_of_module(torch_model, inputs), list(found))
    return [_compare(name, expected[name], found[name], limit) for name in found]


def is_training(torch_model: Any) -> bool:
    """Whether a model answers otherwise than it would in use."""
    module = torch_model.model if isinstance(torch_model, LoadedModel) else torch_model
    return bool(module.training)


def limit_of(onnx_model: Any) -> float:
    """What the export was held to, where that is known."""
    return (onnx_model.tolerance if isinstance(onnx_model, LoadedOnnx) else 0.0) or TOLERANCE


def _of_session(onnx_model: Any, inputs: Any) -> dict[str, Any]:
    session = onnx_model.model if isinstance(onnx_model, LoadedModel) else onnx_model
    args, keywords = _call(inputs)
    fed = feed(ports(session.get_inputs()), args, keywords)
    names = [each.name for each in session.get_outputs()]
    return dict(zip(names, session.run(names, fed.arrays), strict=True))


def _of_module(torch_model: Any, inputs: Any) -> dict[str, Any]:
    module = torch_model.model if isinstance(torch_model, LoadedModel) else torch_model
    device = next((each.device for each in module.parameters()), torch.device("cpu"))
    args, keywords = _call(inputs)
    with torch.no_grad():
        returned = module(
            *(_tensor(each, device) for each in args),
            **{name: _tensor(each, device) for name, each in keywords.items()},
        )
    return {name: _array(each) for name, each in tensors(returned).items()}


def _call(inputs: Any) -> tuple[Sequence[Any], Mapping[str, Any]]:
    if isinstance(inputs, Mapping):
        return (), inputs
    return (tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)), {}


def _tensor(value: Any, device: torch.device) -> Any:
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value)).to(device)
    return value.to(device) if isinstance(value, torch.Tensor) else value


def _array(tensor: torch.Tensor) -> Any:
    plain = tensor.detach().cpu()
    return plain.float().numpy() if plain.dtype == torch.bfloat16 else plain.numpy()


def _paired(expected: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """The model's outputs under the names of the ONNX form's.

    Raises:
        AssertionError: they are not the same outputs.
    """
    __tracebackhide__ = True
    if set(names) <= set(expected):
        return expected
    if len(names) == len(expected):
        return dict(zip(names, expected.values(), strict=True))
    raise AssertionError(
        f"the ONNX form has the outputs {', '.join(names)}; the model has {', '.join(expected)}."
    )


def _compare(name: str, expected: Any, found: Any, limit: float) -> Difference:
    if expected.shape != found.shape or expected.dtype != found.dtype:
        said = f"{found.dtype} {found.shape}, expected {expected.dtype} {expected.shape}"
        return Difference(name, said, close=False)
    errors, relative = distances(expected, found)
    if not errors.any():
        return Difference(name, "equal", close=True)
    worst = int(relative.argmax())
    at = tuple(int(index) for index in np.unravel_index(worst, errors.shape))
    said = " ".join(_words(float(errors[at]), float(relative[at]), at, expected[at], found[at]))
    return Difference(name, said, close=bool(relative[at] <= limit))


def _words(
    error: float, relative: float, at: tuple[int, ...], expected: Any, found: Any
) -> Iterator[str]:
    if np.issubdtype(expected.dtype, np.floating):
        yield f"max abs error {error:.3g}, {relative:.3g} of the largest value,"
        yield f"at {list(at)}: expected {expected:.6g}, found {found:.6g}"
    else:
        yield f"not equal at {list(at)}: expected {expected}, found {found}"
