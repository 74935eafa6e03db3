"""The registry of formats."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.artifacts import LoadOptions
from pytest_potmodels.errors import UnknownNameError
from pytest_potmodels.loading import load


def _printed(code: str) -> list[str]:
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def test_the_door_imports_no_library() -> None:
    heavy = "print(sorted({'torch', 'numpy', 'transformers', 'torchvision'} & set(sys.modules)))"
    code = f"import sys, pytest_potmodels.loading, pytest_potmodels.loading.options; {heavy}"
    assert _printed(code) == ["[]"]


def test_a_missing_library_is_named_with_its_pip_line() -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from pathlib import Path\n"
        "from pytest_potmodels.artifacts import LoadOptions, StoredModel\n"
        "from pytest_potmodels.errors import MissingPackageError\n"
        "from pytest_potmodels.identifiers import ModelId\n"
        "from pytest_potmodels.loading import load\n"
        "stored = StoredModel(ModelId('mock', 'vision'), Path(), 'vision', 'mock', ())\n"
        "try:\n    load(stored, LoadOptions(), device='cpu')\n"
        "except MissingPackageError as error:\n    print(error)"
    )
    printed = "\n".join(_printed(code))
    assert "PyTorch not available" in printed
    assert "pip install torch " in printed


def test_a_format_that_does_not_exist_is_an_error(store: Any, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="'transformers'"):
        load(store(tmp_path, format="transformer"), LoadOptions(), device="cpu")
