"""The shipped table of torchvision weights and its reader."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_potmodels.catalog.torchvision_weights import all_weights, architectures, weights_of
from pytest_potmodels.errors import UnknownNameError


def test_the_shipped_table_is_what_torchvision_says_today() -> None:
    regenerate = runpy.run_path(str(Path(__file__).with_name("regenerate.py")))
    shipped = regenerate["TABLE"].read_text(encoding="utf-8")
    assert shipped == regenerate["render"](), "run: python tests/catalog/regenerate.py"


@pytest.mark.parametrize(
    ("architecture", "default"),
    [("resnet18", "IMAGENET1K_V1"), ("mobilenet_v2", "IMAGENET1K_V2")],
)
def test_without_a_name_the_weights_are_torchvisions_default(
    architecture: str, default: str
) -> None:
    assert weights_of(architecture).name == default
    assert weights_of(architecture, "DEFAULT") == weights_of(architecture, default)


def test_one_set_of_weights_knows_its_file() -> None:
    weights = weights_of("resnet18")
    assert weights.url.endswith("/models/resnet18-f37072fd.pth")
    assert weights.file_name == "resnet18-f37072fd.pth"
    assert weights.sha256_prefix == "f37072fd"
    assert weights.categories == 1000
    assert abs(weights.size - 46_830_571) < 1024


def test_a_stated_licence_is_kept() -> None:
    assert "SWAG" in weights_of("vit_b_16", "IMAGENET1K_SWAG_E2E_V1").license
    assert weights_of("vit_b_16").license == "unknown"


def test_every_set_carries_the_hash_of_its_own_file_name() -> None:
    every = [weights for name in architectures() for weights in all_weights(name)]
    assert len(every) > len(architectures()) >= 80
    assert all(f"-{w.sha256_prefix}.pth" in w.file_name and w.size > 0 for w in every)
    assert [w.name for w in every if w.categories == 0] == ["IMAGENET1K_FEATURES"]


def test_unknown_names_are_errors_with_close_matches() -> None:
    with pytest.raises(UnknownNameError, match="'resnet18'"):
        weights_of("resnet-18")
    with pytest.raises(UnknownNameError, match=r"'IMAGENET1K_V1'[\s\S]*resnet18 has"):
        weights_of("resnet18", "IMAGENET1K_V9")


def test_reading_the_table_imports_no_framework() -> None:
    code = (
        "import sys; from pytest_potmodels.catalog.torchvision_weights import weights_of;"
        "weights_of('resnet18'); print('torch' in sys.modules, 'numpy' in sys.modules)"
    )
    command = [sys.executable, "-c", code]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert printed.split() == ["False", "False"]
