"""What the stand-in tokenizer returns: rows of ids, padded on request, by name or attribute."""

from collections import UserDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import torch


@dataclass(frozen=True)
class Row:
    """One text's ids and its mask: 1 for a token, 0 for padding."""

    ids: list[int]
    padding: int = 0

    @property
    def mask(self) -> list[int]:
        """The attention mask."""
        return [1] * (len(self.ids) - self.padding) + [0] * self.padding


def padded_rows(
    rows: Sequence[Row],
    *,
    padding: bool | Literal["longest", "max_length"],
    limit: int,
    pad: int,
) -> list[Row]:
    """Rows with `pad` appended: to the longest, to `limit`, or not at all.

    Raises:
        ValueError: a `padding` that does not exist.
    """
    if padding is False:
        return list(rows)
    if padding not in (True, "longest", "max_length"):
        raise ValueError(f"padding={padding!r}: expected a bool, 'longest' or 'max_length'")
    longest = max((len(row.ids) for row in rows), default=0)
    width = limit if padding == "max_length" else longest
    return [_padded(row, width, pad) for row in rows]


def _padded(row: Row, width: int, pad: int) -> Row:
    missing = max(0, width - len(row.ids))
    return Row([*row.ids, *[pad] * missing], missing)


class TokenBatch(UserDict[str, Any]):
    """A mapping of `input_ids` and `attention_mask`, whose keys are attributes too."""

    @classmethod
    def of(cls, rows: Sequence[Row], *, single: bool, tensors: Literal["pt", "np"] | None) -> Self:
        """Make it from rows: lists, or int64 tensors or arrays (N, L).

        Raises:
            ValueError: rows of different lengths do not make a tensor; an unknown tensor type.
        """
        columns = {"input_ids": [row.ids for row in rows], "attention_mask": [r.mask for r in rows]}
        if single:
            return cls({name: values[0] for name, values in columns.items()})
        return cls({name: _as_tensor(values, tensors) for name, values in columns.items()})

    def to(self, device: str | torch.device) -> Self:
        """Move the tensors to a device, in place, as transformers does."""
        self.data = {name: value.to(device) for name, value in self.data.items()}
        return self

    def __getattr__(self, name: str) -> Any:
        # `data` itself is looked up here while a copy or an unpickled batch is still empty.
        if name != "data" and name in self.data:
            return self.data[name]
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


def _as_tensor(values: list[list[int]], tensors: Literal["pt", "np"] | None) -> Any:
    if tensors is None:
        return values
    if tensors not in ("pt", "np"):
        raise ValueError(f"return_tensors={tensors!r}: expected 'pt', 'np' or None")
    if len({len(row) for row in values}) > 1:
        raise ValueError(
            "rows of different lengths do not make a tensor: "
            "pass padding=True, or padding='max_length' and truncation=True"
        )
    array = np.array(values, dtype=np.int64)
    return torch.from_numpy(array) if tensors == "pt" else array
