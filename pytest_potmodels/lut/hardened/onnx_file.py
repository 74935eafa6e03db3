"""A hardened network as an ONNX file, compared with the network before it gets its name."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pytest_potmodels import extras
from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.hardened.network import HardenedNetwork
from pytest_potmodels.lut.hardened.samples import samples_of
from pytest_potmodels.lut.new_file import refuse_existing, write_new

#: How many samples it is tried on beside those that are given, and their seed.
_SAMPLES, _SEED = 1000, 0
#: The share of infinities of each sign among their values.
_INFINITE = 0.01
_ERRORS_ONLY = 3


@dataclass(frozen=True)
class WrittenOnnx:
    """An ONNX file that was written.

    Args:
        path: where it is.
        sha256: of its bytes; the same network gives the same.
        opset: the version of ONNX's operators.
        samples: on how many samples it gave the network's answers, bit for bit.
    """

    path: Path
    sha256: str
    opset: int
    samples: int


def write_onnx(
    network: HardenedNetwork, path: str | Path, *, images: Any = None, overwrite: bool = False
) -> WrittenOnnx:
    """Write the network as ONNX: `x` (batch, F) -> `logits` float32 and `counts` int64 (batch, C).

    The file is checked by ONNX's checker, and in ONNX Runtime on random samples, many of which lie
    on thresholds, and on `images` (N, F).

    Raises:
        LUTError: the file is there and `overwrite` is not said; it is not the network; or `images`
            are none.
        MissingPackageError: onnx or onnxruntime is not installed.
    """
    target = Path(path)
    refuse_existing(target, overwrite=overwrite)
    extras.require("onnx")
    graph = _onnx_graph()
    data: bytes = graph.model_of(network).SerializeToString(deterministic=True)
    count = check(network, data, images)
    write_new(target, data, overwrite=overwrite)
    return WrittenOnnx(target, hashlib.sha256(data).hexdigest(), graph.OPSET, count)


def check(network: HardenedNetwork, data: bytes, images: Any = None) -> int:
    """Accept an ONNX file that answers as the network does; on how many samples it was compared.

    Raises:
        LUTError: it does not, or ONNX's checker or ONNX Runtime refuses it.
        MissingPackageError: onnx or onnxruntime is not installed.
    """
    session = _opened(data)
    trials = _samples(network)
    given = [] if images is None else [samples_of(images, network.input_size)]
    # A batch that is empty or one sample takes other paths than one of many.
    for batch in (trials, trials[:0], trials[:1], *given):
        _compare(network, session, batch)
    return _SAMPLES + sum(map(len, given))


def _compare(network: HardenedNetwork, session: Any, samples: Any) -> None:
    expected: dict[str, Any] = {
        "logits": network.logits(samples),
        "counts": network(samples).astype(np.int64),
    }
    try:
        found = session.run(list(expected), {"x": samples})
    # The classes of its errors have no common base but Exception.
    except Exception as error:
        raise _refused(f"ONNX Runtime cannot run it: {error}") from error
    for (name, right), answer in zip(expected.items(), found, strict=True):
        if answer.dtype != right.dtype or answer.shape != right.shape:
            raise _refused(f"{name} is {answer.dtype} {answer.shape} instead of {right.shape}")
        if differing := int((answer != right).any(axis=1).sum()):
            raise _refused(f"{name} of {differing} of {len(right)} samples differ")


def _samples(network: HardenedNetwork) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Random samples (N, F): thresholds, their neighbours, infinities and numbers in between."""
    draw = np.random.default_rng(_SEED)
    thresholds = network.thresholds
    shape = (_SAMPLES, network.input_size)
    chosen = draw.integers(0, thresholds.shape[1], shape)
    at = np.take_along_axis(thresholds, chosen.T, axis=1).T
    least, most = float(thresholds.min()) - 1, float(thresholds.max()) + 1
    between = draw.uniform(least, most, shape).astype(np.float32)
    lower, upper = np.float32(-np.inf), np.float32(np.inf)
    ways = [at, np.nextafter(at, lower), np.nextafter(at, upper), between, between]
    samples = np.choose(draw.integers(0, len(ways), shape), ways)
    samples[draw.random(shape) < _INFINITE] = upper
    samples[draw.random(shape) < _INFINITE] = lower
    return samples


def _opened(data: bytes) -> Any:
    onnx, onnxruntime = extras.require("onnx"), extras.require("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = _ERRORS_ONLY, 1
    try:
        onnx.checker.check_model(data, full_check=True)
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # As above.
        raise _refused(f"it cannot be opened: {error}") from error


def _refused(what: str) -> LUTError:
    remedy = "pip install --upgrade onnx onnxruntime; if it stays, report it with the network"
    return LUTError(f"the ONNX form is not the network: {what}.", remedy=remedy)


def _onnx_graph() -> Any:
    from pytest_potmodels.lut.hardened import onnx_graph  # noqa: PLC0415 - imports onnx

    return onnx_graph
