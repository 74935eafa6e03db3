"""Which device a worker gets."""

import pytest
import torch

from pytest_potmodels.errors import UsageError
from pytest_potmodels.session.devices import device_for


def test_cpu_is_cpu_without_a_look_at_torch() -> None:
    assert device_for("cpu", "gw1") == "cpu"


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_auto_is_the_cpu_and_cuda_an_error() -> None:
    assert device_for("auto", "gw1") == "cpu"
    with pytest.raises(UsageError, match="torch sees 0 CUDA devices"):
        device_for("cuda", "")


@pytest.mark.parametrize(
    ("setting", "worker", "expected"),
    [("auto", "gw0", "cuda:0"), ("auto", "gw5", "cuda:1"), ("auto", "", "cuda:0"),
     ("cuda:1", "gw0", "cuda:1"), ("cuda", "gw1", "cuda")],
)  # fmt: skip
def test_workers_go_round_the_gpus(
    monkeypatch: pytest.MonkeyPatch, setting: str, worker: str, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert device_for(setting, worker) == expected


def test_onnx_runtime_has_a_say_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert device_for("auto", "gw1", form="onnx") == "cpu"
    with pytest.raises(UsageError, match="ONNX Runtime here has no CUDAExecutionProvider"):
        device_for("cuda:1", "", form="onnx")
    both = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: both)
    assert device_for("auto", "gw1", form="onnx-int8") == "cuda:1"


def test_a_gpu_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UsageError, match="cuda:2: torch sees 2 CUDA devices"):
        device_for("cuda:2", "")
