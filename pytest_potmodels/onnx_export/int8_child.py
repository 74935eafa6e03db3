"""A process that quantises one file and compares the two; told in a line of JSON what to do."""

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pytest_potmodels.onnx_export import int8_ways
from pytest_potmodels.onnx_export.lifeline import die_with_parent
from pytest_potmodels.onnx_export.nearness import marks

_MODEL = "model.onnx"
#: The least cosine between an output and the model's own, at any shape.
LEAST_COSINE = 0.9995
#: The least share of rows with the same best class, among those where the model is sure.
LEAST_AGREEMENT = 0.99
#: It is where its two best are further apart than this part of its largest value.
_SURE = 0.05
#: Characters of a failure that are kept.
_SHOWN = 500

Arrays = dict[str, Any]


class UselessError(Exception):
    """There is nothing to quantise."""


class FarError(Exception):
    """The variant is too far from the model."""


def main() -> None:
    """Do what the first line of the input says, and answer in a line."""
    order = json.loads(sys.stdin.readline())
    die_with_parent(order["parent"])
    # Libraries write to the standard output as they like.
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def tell(line: str) -> None:
        own.write(json.dumps({"line": line}) + "\n")
        own.flush()

    logging.disable()  # The quantiser advises a step that dynamo's graphs have behind them.
    try:
        answer: dict[str, Any] = {"done": _quantised(order, tell)}
    except UselessError as error:
        answer = {"failed": {"kind": "useless", "why": str(error)}}
    except FarError as error:
        answer = {"failed": {"kind": "far", "why": str(error)}}
    # What a library does with a graph that it does not like is anybody's guess.
    except Exception as error:  # noqa: BLE001
        lines = str(error).strip().splitlines() or [""]
        why = f"{type(error).__name__}: {lines[0]}"[:_SHOWN]
        answer = {"failed": {"kind": "export", "why": why}}
    own.write(json.dumps(answer) + "\n")
    own.flush()
    os._exit(0)  # The thread that waits for the end of the input would keep it.


def _quantised(order: Mapping[str, Any], tell: Callable[[str], None]) -> dict[str, Any]:
    file, target = Path(order["file"]), Path(order["folder"]) / _MODEL
    refused: list[str] = []
    for way, quantise in int8_ways.WAYS.items():
        tell(f"eight bits ({way})")
        products = int8_ways.write(quantise, file, target)
        if not products:
            raise UselessError("it has no products with matrices of weights, as transformers have")
        cosine, agreement = _compared(file, target, order)
        facts = {"cosine": cosine, "agreement": agreement, "products": products}
        if not (why := _wrong(cosine, agreement)):
            return {"file": _MODEL, "way": way, **facts, "refused": refused}
        refused.append(f"{way}: {why}")
    raise FarError("; ".join(refused))


def _wrong(cosine: Mapping[str, float], agreement: float) -> str:
    worst = min(cosine, key=cosine.__getitem__)
    if cosine[worst] < LEAST_COSINE:
        return (
            f"the cosine of {worst} to the model's is {cosine[worst]:.6f}, "
            f"{LEAST_COSINE} is the least"
        )
    if agreement < LEAST_AGREEMENT:
        return (
            f"{agreement:.1%} of the rows have the same best class, "
            f"{LEAST_AGREEMENT:.0%} is the least"
        )
    return ""


def _compared(file: Path, target: Path, order: Mapping[str, Any]) -> tuple[dict[str, float], float]:
    """Per output the least cosine, and the share of rows that agree on the best class."""
    one, other = _session(file), _session(target)
    names = [each.name for each in one.get_outputs()]
    cosine = dict.fromkeys(names, 1.0)
    sure = agreed = 0
    for seed, sizes in enumerate(order["shapes"]):
        fed = fed_with(order["inputs"], sizes, order["vocabulary"], seed)
        for name, expected, found in zip(
            names, one.run(names, fed), other.run(names, fed), strict=True
        ):
            cosine[name] = min(cosine[name], cosine_of(expected, found))
            if "logits" in name:
                certain, same = agreeing(expected, found)
                sure, agreed = sure + certain, agreed + same
    return cosine, agreed / sure if sure else 1.0


def fed_with(
    inputs: Sequence[Sequence[Any]], sizes: Mapping[str, int], vocabulary: int, seed: int
) -> Arrays:
    """Inputs of some sizes: words, masks with padding at the end of later rows, noise."""
    generator = np.random.default_rng(seed)
    fed: Arrays = {}
    for name, dtype, axes in inputs:
        shape = [axis if isinstance(axis, int) else sizes[axis] for axis in axes]
        values: Any
        if "mask" in name:
            values = np.ones(shape)
            for row in range(1, shape[0]):
                values[row, shape[-1] - min(shape[-1] - 1, max(shape[-1] // 3, 1)) :] = 0
        elif name == "token_type_ids":
            values = np.zeros(shape)
        elif np.issubdtype(np.dtype(dtype), np.integer):
            values = generator.integers(vocabulary // 10, max(vocabulary, 2), shape)
        else:
            values = generator.standard_normal(shape)
        fed[name] = values.astype(dtype)
    return fed


def cosine_of(one: Any, other: Any) -> float:
    """Of the angle between two arrays; 0 where one has no direction and the other has.

    Marks of nothing are left out, where both have them: beside them, all would be one direction.
    """
    kept = ~marks(one)
    if not np.array_equal(kept, ~marks(other)):
        return 0.0
    a, b = (each[kept].astype(np.float64) for each in (one, other))
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    if not length or not np.isfinite(length):
        return 1.0 if np.array_equal(a, b) else 0.0
    return float(a @ b) / length


def agreeing(one: Any, other: Any) -> tuple[int, int]:
    """Rows in which the first array is sure of its best, and those of them that agree."""
    rows, others = (each.reshape(-1, each.shape[-1]) for each in (one, other))
    if rows.shape[-1] < 2:  # noqa: PLR2004 - one class is always the best
        return 0, 0
    best = np.sort(rows, axis=-1)
    sure = best[:, -1] - best[:, -2] > _SURE * np.abs(rows).max()
    same = rows.argmax(-1) == others.argmax(-1)
    return int(sure.sum()), int((sure & same).sum())


def _session(file: Path) -> Any:
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


if __name__ == "__main__":
    main()
