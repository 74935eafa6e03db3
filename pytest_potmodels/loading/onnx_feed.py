"""What an ONNX session is fed: tensors or arrays, by name or position, checked before the call."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_potmodels.errors import UnknownNameError, UsageError

#: ONNX's names of element types, where numpy has another one.
_TYPES = {"float": "float32", "double": "float64", "string": "object"}


@dataclass(frozen=True)
class Port:
    """An input or output of a graph: an axis is its size, or its name where it may have any."""

    name: str
    dtype: str
    axes: tuple[str | int, ...]

    def __str__(self) -> str:
        return f"{self.name}: {self.dtype} ({', '.join(map(str, self.axes))})"


@dataclass(frozen=True, eq=False)
class Fed:
    """Arrays by the names of inputs, and the device of the tensors that they were; None: arrays."""

    arrays: Mapping[str, Any]
    device: Any = None


def port(node: Any) -> Port:
    """An input or output as ONNX Runtime describes it."""
    is_tensor_ = node.type.startswith("tensor(")
    plain = node.type[len("tensor(") : -1] if is_tensor_ else node.type
    axes = tuple(axis if isinstance(axis, int | str) else "?" for axis in node.shape or ())
    return Port(node.name, _TYPES.get(plain, plain), axes)


def feed(ports: Sequence[Port], args: Sequence[Any], named: Mapping[str, Any]) -> Fed:
    """Arrays for all inputs; one mapping in place of keywords will do.

    Raises:
        UsageError: an input too many, of an unknown name, missing, or of another type or shape.
    """
    _check_kinds(ports)
    given = _by_name(ports, args, named)
    if absent := [each.name for each in ports if each.name not in given]:
        raise UsageError(f"inputs are missing: {', '.join(absent)}.{table(ports)}")
    arrays = {each.name: _array(each, given[each.name], ports) for each in ports}
    tensors = (value for value in given.values() if is_tensor(value))
    return Fed(arrays, next((tensor.device for tensor in tensors), None))


def _check_kinds(ports: Sequence[Port]) -> None:
    """Pass if all inputs are tensors; sequences and maps are fed to the session itself."""
    if others := [each.name for each in ports if "(" in each.dtype]:
        raise UsageError(
            f"{', '.join(others)} is no tensor.{table(ports)}",
            remedy="call the session itself: onnx_model.model.run(None, {...})",
        )


def table(ports: Sequence[Port]) -> str:
    """The inputs as lines of a message."""
    width = max((len(each.name) for each in ports), default=0)
    lines = (
        f"\n  {each.name:<{width}}  {each.dtype}  ({', '.join(map(str, each.axes))})"
        for each in ports
    )
    return f" It takes:{''.join(lines)}"


def is_tensor(value: Any) -> bool:
    """Whether this is a tensor of torch; where torch is not imported, nothing is."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def _by_name(
    ports: Sequence[Port], args: Sequence[Any], named: Mapping[str, Any]
) -> dict[str, Any]:
    if len(args) == 1 and isinstance(args[0], Mapping):
        named = {**args[0], **named}
        args = []
    names = [each.name for each in ports]
    if len(args) > len(names):
        raise UsageError(f"{len(args)} inputs are too many.{table(ports)}")
    given = dict(zip(names, args, strict=False))
    for name, value in named.items():
        if name not in names:
            raise UnknownNameError("input", str(name), names, remedy=table(ports).strip())
        if name in given:
            raise UsageError(f"input {name!r} is given by position and by name.{table(ports)}")
        if value is not None:  # As torch models take it: not given.
            given[name] = value
    return given


def _array(wanted: Port, value: Any, ports: Sequence[Port]) -> Any:
    if not is_tensor(value) and not isinstance(value, np.ndarray | np.generic):
        raise UsageError(
            f"input {wanted.name!r} is a {type(value).__name__}, no array or tensor.{table(ports)}",
            remedy=f"numpy.asarray(..., dtype={wanted.dtype!r})",
        )
    _check_type(wanted, value, ports)
    _check_shape(wanted, tuple(value.shape), ports)
    return _dense(wanted, value) if is_tensor(value) else np.asarray(value)


def _dense(wanted: Port, tensor: Any) -> Any:
    try:
        return tensor.detach().cpu().resolve_neg().numpy()
    except (NotImplementedError, RuntimeError, TypeError) as error:  # Sparse, or without numbers.
        said = str(error).strip().splitlines() or [""]
        raise UsageError(f"input {wanted.name!r} is no dense tensor: {said[0]}") from error


def _check_type(wanted: Port, value: Any, ports: Sequence[Port]) -> None:
    found = str(value.dtype).removeprefix("torch.")
    found = "object" if getattr(value.dtype, "kind", "") == "U" else found  # numpy's own strings
    if found != wanted.dtype:
        way = f".to(torch.{wanted.dtype})" if is_tensor(value) else f".astype({wanted.dtype!r})"
        raise UsageError(
            f"input {wanted.name!r} is {found}, not {wanted.dtype}.{table(ports)}", remedy=way
        )


def _check_shape(wanted: Port, shape: tuple[int, ...], ports: Sequence[Port]) -> None:
    fits = len(shape) == len(wanted.axes) and all(
        size == axis for size, axis in zip(shape, wanted.axes, strict=True) if isinstance(axis, int)
    )
    if not fits:
        axes = ", ".join(map(str, wanted.axes))
        raise UsageError(
            f"input {wanted.name!r} has the shape {shape}, not ({axes}).{table(ports)}"
        )
