"""torchvision that was built for another torch, in processes of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

_LOAD = """
import logging
logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", force=True)
from pytest_potmodels.errors import MissingPackageError
from pytest_potmodels.loading.torchvision_guard import import_torchvision, import_transformers
"""
#: What a torchvision does whose compiled operators cannot be loaded (pytorch/vision#8985).
_BUILT_FOR_ANOTHER_TORCH = """
import torch
for name in ("nms", "qnms"):
    @torch.library.register_fake(f"torchvision::{name}")
    def shape(dets, scores, iou_threshold):
        return dets
alive = True
"""
_HEALTHY = """
import torch
for name in ("nms", "qnms"):
    torch.library.define(f"torchvision::{name}", "(Tensor a, Tensor b, float c) -> Tensor")
""" + _BUILT_FOR_ANOTHER_TORCH.replace("import torch\n", "")


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    """The `__init__` of a package named torchvision that is found first."""
    (tmp_path / "torchvision").mkdir()
    return tmp_path / "torchvision" / "__init__.py"


def _run(code: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(path.parent.parent) if path else ""}
    command = [sys.executable, "-c", _LOAD + code]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=environ)


def test_a_torchvision_for_another_torch_is_imported_and_reported_once(stub: Path) -> None:
    stub.write_text(_BUILT_FOR_ANOTHER_TORCH, encoding="utf-8")
    done = _run("import_torchvision(); print(import_torchvision().alive)", stub)
    assert done.stdout == "True\n", done.stderr
    assert done.stderr.count("was built for another torch") == 1
    assert "WARNING pytest_potmodels.loading.torchvision_guard" in done.stderr


def test_an_earlier_import_that_failed_does_not_matter(stub: Path) -> None:
    stub.write_text(_BUILT_FOR_ANOTHER_TORCH, encoding="utf-8")
    earlier = "try:\n    import torchvision\nexcept RuntimeError as error:\n    print(error)\n"
    done = _run(earlier + "print(import_torchvision().alive)", stub)
    assert done.stdout == "operator torchvision::nms does not exist\nTrue\n", done.stderr


def test_a_healthy_torchvision_is_left_as_it_is(stub: Path) -> None:
    stub.write_text(_HEALTHY, encoding="utf-8")
    schema = "print(import_torchvision().torch.ops.torchvision.nms.default._schema)"
    done = _run(schema, stub)
    assert done.stdout == "torchvision::nms(Tensor a, Tensor b, float c) -> Tensor\n", done.stderr
    assert done.stderr == ""


def test_only_the_operator_that_is_missing_is_declared(stub: Path) -> None:
    stub.write_text(_BUILT_FOR_ANOTHER_TORCH, encoding="utf-8")
    somebody = "import torch; torch.library.define('torchvision::nms', '(Tensor own) -> Tensor')\n"
    schema = "print(import_torchvision().torch.ops.torchvision.nms.default._schema)"
    done = _run(somebody + schema, stub)
    assert done.stdout == "torchvision::nms(Tensor own) -> Tensor\n", done.stderr


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("raise RuntimeError('no such thing')", "fails to import: no such thing"),
        ("import no_such_module", "fails to import: No module named 'no_such_module'"),
        (
            "import torch; torch.library.register_fake('torchvision::roi_align')(print)",
            "fails to import: operator torchvision::roi_align does not exist",
        ),
    ],
)
def test_a_torchvision_broken_in_another_way_is_a_missing_package(
    stub: Path, content: str, why: str
) -> None:
    stub.write_text(content, encoding="utf-8")
    caught = (
        "try:\n    import_torchvision()\nexcept MissingPackageError as error:\n    print(error)"
    )
    done = _run(caught, stub)
    assert why in done.stdout, done.stderr
    assert "pip install torchvision" in done.stdout


def test_the_installed_torchvision_builds_a_classifier_and_transformers_an_encoder() -> None:
    done = _run(
        "print(type(import_torchvision().models.resnet18()).__name__)\n"
        "print(import_transformers().BertModel.__name__)"
    )
    assert done.stdout == "ResNet\nBertModel\n", done.stderr


@pytest.mark.slow
def test_transformers_works_after_an_import_of_it_that_failed() -> None:
    earlier = (
        "try:\n    from transformers import ViTImageProcessor, BertModel\n"
        "except Exception as error:\n    pass\n"
    )
    done = _run(earlier + "t = import_transformers(); print(t.BertModel, t.ViTImageProcessor)")
    assert "BertModel" in done.stdout, done.stderr
