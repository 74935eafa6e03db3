"""An ONNX file as a session of ONNX Runtime, and the model that a test calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import onnxruntime

from pytest_potmodels.artifacts import LoadedModel, Part
from pytest_potmodels.errors import Reason, UnavailableError, UsageError
from pytest_potmodels.loading.onnx_feed import Port, feed, port
from pytest_potmodels.loading.onnx_outputs import OnnxOutputs, outputs

_CUDA = "CUDAExecutionProvider"
_CPU = "CPUExecutionProvider"
#: ONNX Runtime warns of initializers that it could do without; errors are raised as well.
_ERRORS_ONLY = 3


@dataclass(frozen=True, eq=False, repr=False)
class LoadedOnnx(LoadedModel):
    """A model as ONNX: `.model` is an `onnxruntime.InferenceSession`.

    It is called with torch tensors or numpy arrays, by name or position, and answers in kind.
    `.path` and `.digest` are of the ONNX file, which has no state dict: `.checksum` is its digest.
    """

    categories: tuple[str, ...] = cast(tuple[str, ...], Part(()))
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()
    #: The largest error of an output that passes, relative to its largest value.
    tolerance: float = 1e-4
    #: "int8", or "" for the numbers of the model itself.
    variant: str = ""

    def __call__(self, *args: Any, **kwargs: Any) -> OnnxOutputs:
        """Run the graph.

        Raises:
            UsageError: inputs that it does not take, with the table of those that it does.
        """
        __tracebackhide__ = True
        return run(self.model, args, kwargs)

    @cached_property
    def checksum(self) -> str:
        """The digest of the ONNX file."""
        return self.digest


def run(session: Any, args: Sequence[Any], named: dict[str, Any]) -> OnnxOutputs:
    """Call a session: arrays in, arrays out; tensors in, tensors out.

    Raises:
        UsageError: inputs that it does not take.
    """
    __tracebackhide__ = True  # What is wrong is the call in the test, and its line is shown.
    try:
        fed = feed(ports(session.get_inputs()), args, named)
    except UsageError as error:
        raise error.with_traceback(None) from None
    names = [each.name for each in session.get_outputs()]
    return outputs(names, session.run(names, fed.arrays), fed.device)


def ports(nodes: Sequence[Any]) -> tuple[Port, ...]:
    """Inputs or outputs of a session."""
    return tuple(map(port, nodes))


def session_options(threads: int) -> Any:
    """Options of a session that computes on so many threads."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    # ONNX Runtime takes all cores of the machine, whatever this process may use of them.
    options.intra_op_num_threads = threads
    return options


def open_session(file: Path, *, threads: int, device: str, options: Any = None) -> Any:
    """A session of a file; weights beside it are mapped, and none is read from elsewhere.

    Raises:
        UnavailableError: NOT_LOADABLE; ONNX Runtime refuses it.
        UsageError: a device that ONNX Runtime has no provider for.
    """
    chosen = providers(device)
    try:
        session = onnxruntime.InferenceSession(
            file, options or session_options(threads), providers=chosen
        )
    # The classes of its errors have no common base but Exception.
    except Exception as error:
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise UnavailableError(
            f"ONNX Runtime {onnxruntime.__version__} cannot open {file}: {said[0]}",
            reason=Reason.NOT_LOADABLE,
            remedy="pip install --upgrade onnxruntime, if the file is newer; else make it again",
        ) from error
    if device != "cpu" and _CUDA not in session.get_providers():
        # It goes on with the CPU alone, and only logs that CUDA's libraries were not found.
        raise UsageError(
            f"ONNX Runtime cannot use {device!r} here: it opens {file.name} on the CPU alone.",
            remedy="install the CUDA and cuDNN that this onnxruntime wants, or --pot-device=cpu",
        )
    return session


def providers(device: str) -> list[Any]:
    """What computes on a device, the CPU for what it cannot.

    Raises:
        UsageError: this ONNX Runtime has nothing for it.
    """
    if device == "cpu":
        return [_CPU]
    if not has_cuda():
        known = ", ".join(onnxruntime.get_available_providers())
        raise UsageError(
            f"this ONNX Runtime has no {_CUDA} for {device!r}; it has {known}.",
            remedy="pip install onnxruntime-gpu in place of onnxruntime, or --pot-device=cpu",
        )
    return [(_CUDA, {"device_id": device.partition(":")[2] or "0"}), _CPU]


def has_cuda() -> bool:
    """Whether this ONNX Runtime was built for NVIDIA's GPUs."""
    return _CUDA in onnxruntime.get_available_providers()
