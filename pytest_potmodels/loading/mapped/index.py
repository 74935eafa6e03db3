"""Where each tensor of a model lies in a weights file: names, type, shape, offsets."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

#: torch aligns the records of its files to this, and so do its allocators: kernels round
#: differently where data begins elsewhere, so only such a mapping gives the stock loader's bits.
ALIGNMENT = 64

#: Quantised numbers and bare bits are no plain memory.
_DTYPES: Mapping[str, torch.dtype] = {
    name: value
    for value in vars(torch).values()
    if isinstance(value, torch.dtype)
    and not (name := str(value).removeprefix("torch.")).startswith(("q", "bits"))
}


@dataclass(frozen=True)
class TensorAt:
    """One tensor; `names` has more than one entry where weights are tied."""

    names: tuple[str, ...]
    dtype: str
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    #: The storage that holds it: bytes from the file's begin, and its length in bytes.
    begin: int
    length: int
    #: Elements from the storage's begin.
    offset: int = 0

    @property
    def torch_dtype(self) -> torch.dtype:
        """The type of its elements."""
        return _DTYPES[self.dtype]

    @property
    def numel(self) -> int:
        """The number of its elements."""
        return math.prod(self.shape)

    @property
    def is_plain(self) -> bool:
        """Whether it is contiguous and has its storage for itself."""
        return (
            self.numel > 0
            and self.stride == contiguous_stride(self.shape)
            and self.offset == 0
            and self.length == self.numel * self.torch_dtype.itemsize
        )


def contiguous_stride(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The strides, in elements, of a contiguous tensor of one element or more, as torch has it."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(step)
        step *= size
    return tuple(reversed(strides))


def as_json(tensors: Iterable[TensorAt]) -> list[dict[str, Any]]:
    """The index as plain values; of a plain tensor, what the rest follows from."""
    return [
        asdict(each)
        if not each.is_plain
        else {"names": each.names, "dtype": each.dtype, "shape": each.shape, "begin": each.begin}
        for each in tensors
    ]


def from_json(rows: Any, file_size: int) -> tuple[TensorAt, ...]:
    """The index out of plain values; it may be damaged, so nothing may point outside the file.

    Raises:
        ValueError: a row that is none, or that reaches outside of its storage or the file.
    """
    try:
        found = tuple(_row(row) for row in rows)
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"no index of tensors: {type(error).__name__}: {error}") from error
    for each in found:
        _check(each, file_size)
    return found


def _row(row: Mapping[str, Any]) -> TensorAt:
    names, dtype = _names(row["names"]), _DTYPES[row["dtype"]]
    shape = _counts(row["shape"])
    begin, length, offset = _counts(
        (row["begin"], row.get("length", math.prod(shape) * dtype.itemsize), row.get("offset", 0))
    )
    stride = _counts(row["stride"]) if "stride" in row else contiguous_stride(shape)
    return TensorAt(names, row["dtype"], shape, stride, begin, length, offset)


def _names(values: Any) -> tuple[str, ...]:
    if type(values) not in (list, tuple) or not all(type(each) is str for each in values):
        raise ValueError(f"{values!r} are no names")
    return tuple(values)


def _counts(values: Iterable[Any]) -> tuple[int, ...]:
    counts = tuple(values)
    for value in counts:
        if type(value) is not int or value < 0:
            raise ValueError(f"{counts} are no counts")
    return counts


def _check(each: TensorAt, file_size: int) -> None:
    if not each.names or len(each.shape) != len(each.stride):
        raise ValueError(f"{each} is no tensor")
    last = each.offset + sum((n - 1) * s for n, s in zip(each.shape, each.stride, strict=True))
    reach = (last + 1) * each.torch_dtype.itemsize if each.numel else 0
    if reach > each.length or each.begin + each.length > file_size or each.begin % ALIGNMENT:
        raise ValueError(f"{each.names[0]} does not lie in the file")
