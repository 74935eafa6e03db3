"""What `doctor` says of torch and torchvision: sound, mismatched, broken, crashing."""

import sys
from pathlib import Path

import pytest

from pytest_potmodels.cli.doctor import frameworks
from pytest_potmodels.cli.doctor.finding import Finding

TORCH = "__version__ = '9.9'\nclass cuda:\n    device_count = staticmethod(lambda: {gpus})\n"


def package(folder: Path, name: str, code: str) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(code)


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose packages the importing process finds first."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def found(device: str = "cpu") -> dict[str, Finding]:
    return {each.check: each for each in frameworks.check(device)}


def test_without_torch_nothing_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # how Python itself marks what is not there
    assert found() == {}


def test_what_imports_is_ok(fake: Path) -> None:
    package(fake, "torch", TORCH.format(gpus=0))
    package(fake, "torchvision", "print('hello')\n__version__ = '8.8'")
    said = found()
    assert said["torch"] == Finding("torch", "ok", "9.9 imports")
    assert said["torchvision"] == Finding("torchvision", "ok", "8.8 imports")


def test_a_torch_that_fails_to_import_says_how(fake: Path) -> None:
    package(fake, "torch", "raise OSError('libcudart.so: cannot open shared object file')")
    said = found()
    assert list(said) == ["torch"]
    assert said["torch"].status == "fail"
    assert said["torch"].said == "OSError: libcudart.so: cannot open shared object file"


def test_a_torch_that_crashes_takes_only_its_own_process(fake: Path) -> None:
    package(fake, "torch", "import os; os.abort()")
    said = found()["torch"]
    assert said.status == "fail"
    assert "its import crashed: exit code " in said.said


def test_a_torchvision_that_crashes_does_not_hide_torch(fake: Path) -> None:
    package(fake, "torch", TORCH.format(gpus=0))
    package(fake, "torchvision", "import os; os.abort()")
    said = found()
    assert said["torch"].status == "ok"
    assert "its import crashed" in said["torchvision"].said


@pytest.mark.parametrize(
    ("device", "gpus", "status"),
    [("cpu", 0, "ok"), ("auto", 0, "ok"), ("cuda", 0, "fail"), ("cuda:1", 2, "ok")],
)
def test_a_device_that_is_asked_for_must_be_there(
    fake: Path, device: str, gpus: int, status: str
) -> None:
    package(fake, "torch", TORCH.format(gpus=gpus))
    package(fake, "torchvision", "__version__ = '8.8'")
    assert found(device)["device"].status == status


def test_a_torchvision_for_another_torch_is_a_warning_that_says_what_the_loader_does(
    fake: Path,
) -> None:
    """With the real torch, and a torchvision that fails as a mismatched one does."""
    package(
        fake,
        "torchvision",
        "import torch\n"
        "if not hasattr(torch.ops.torchvision, 'nms'):\n"
        "    raise RuntimeError('operator torchvision::nms does not exist')\n"
        "__version__ = '8.8'\n",
    )
    said = found()
    assert said["torch"].status == "ok"
    vision = said["torchvision"]
    assert vision.status == "warn"
    assert vision.said.startswith("8.8 was built for another torch than ")
    assert "operator torchvision::nms does not exist" in vision.said
    assert "Our loader declares the missing operators" in vision.said
    assert "install the torchvision that belongs to this torch" in vision.remedy


def test_a_torchvision_that_is_broken_otherwise_is_a_failure(fake: Path) -> None:
    package(fake, "torch", TORCH.format(gpus=0))
    package(fake, "torchvision", "raise ImportError('libpng.so.16')")
    said = found()["torchvision"]
    assert (said.status, said.said) == ("fail", "ImportError: libpng.so.16")
