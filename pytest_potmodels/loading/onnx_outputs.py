"""What an ONNX session answers: its outputs by name, by attribute or by position."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from pytest_potmodels.errors import close_matches


class OnnxOutputs(dict[str, Any]):
    """Outputs in the order of the graph: `out["logits"]`, `out.logits`, `out[0]`."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in self:
            raise AttributeError(_no_output(name, self))
        return self[name]

    def __getitem__(self, key: Any) -> Any:
        """By name, by position, or a slice of positions."""
        if isinstance(key, int | slice):
            return self.to_tuple()[key]
        if key not in self:
            raise KeyError(_no_output(str(key), self))
        return super().__getitem__(key)

    def to_tuple(self) -> tuple[Any, ...]:
        """The outputs alone."""
        return tuple(self.values())


def outputs(names: Sequence[str], arrays: Sequence[Any], device: Any) -> OnnxOutputs:
    """Arrays by name, as tensors on a device if there is one."""
    if device is None:
        return OnnxOutputs(zip(names, arrays, strict=True))
    return OnnxOutputs(zip(names, (_tensor(each, device) for each in arrays), strict=True))


def _tensor(value: Any, device: Any) -> Any:
    """An array as a tensor, a sequence as a list of them; text and maps as they are."""
    import torch  # noqa: PLC0415 - only for who has called with its tensors

    if isinstance(value, list):
        return [_tensor(each, device) for each in value]
    if not isinstance(value, np.ndarray) or value.dtype.kind in "OSU":
        return value
    return torch.from_numpy(value).to(device)


def _no_output(name: str, known: OnnxOutputs) -> str:
    near = close_matches(name, known)
    meant = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    return f"no output {name!r}; there are: {', '.join(known)}.{meant}"
