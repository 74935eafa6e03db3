"""Which device a worker loads its models on."""

import re

from pytest_potmodels import extras
from pytest_potmodels.errors import UsageError


def device_for(setting: str, worker: str, *, form: str = "") -> str:
    """The torch device of `cpu`, `cuda`, `cuda:N` or `auto`; auto goes round the GPUs.

    Args:
        setting: the value of `--pot-device`.
        worker: the xdist worker's name (`gw3`), or "" without xdist.
        form: "" for a torch model; "onnx" and the like for one that ONNX Runtime runs.

    Raises:
        UsageError: a GPU that is not there, or that ONNX Runtime cannot use.
    """
    if setting == "cpu":
        return setting
    if form and not _onnx_has_cuda():
        if setting == "auto":
            return "cpu"
        raise UsageError(
            f"--pot-device={setting}: the ONNX Runtime here has no CUDAExecutionProvider.",
            remedy="pip install onnxruntime-gpu in place of onnxruntime, or --pot-device=cpu",
        )
    count: int = extras.require("torch").cuda.device_count()
    if setting == "auto":
        number = re.sub(r"\D", "", worker) or "0"
        return f"cuda:{int(number) % count}" if count else "cpu"
    index = int(setting.partition(":")[2] or 0)
    if index >= count:
        raise UsageError(
            f"--pot-device={setting}: torch sees {count} CUDA devices here.",
            remedy="use --pot-device=auto or cpu",
        )
    return setting


def _onnx_has_cuda() -> bool:
    available = extras.require("onnxruntime").get_available_providers()
    return "CUDAExecutionProvider" in available
