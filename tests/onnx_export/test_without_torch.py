"""A machine with ONNX Runtime alone: what is there is used, what is not is refused by name."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from onnx_export.asking import Answer, request
from onnx_export.conftest import MINILM

import pytest_potmodels

ABSENT = ("torch", "torchvision", "transformers", "onnx", "onnxscript", "onnx_ir", "psutil")

CODE = """
import importlib.util, json, sys
import numpy as np
from pathlib import Path
from onnx_export.asking import HEAVY, open_cache, request
from pytest_potmodels import onnx_export
from pytest_potmodels.errors import PotModelsError
from pytest_potmodels.session.onnx_form import OnnxForms

cache, name, wanted = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
pipeline = open_cache(cache)
said = {"absent": [each for each in wanted if importlib.util.find_spec(each) is None]}
said["key"] = onnx_export.exported(pipeline, request(name)).key
model = OnnxForms(pipeline).obtain(request(name))
ids = np.ones((2, 5), "int64")
out = model({each.name: ids for each in model.inputs})
said["shape"] = out.last_hidden_state.shape
onnx_export.require(pipeline, request(name))
for ask, other in (
    (onnx_export.exported, "mock:vision"),
    (onnx_export.exported, "huggingface:org/unknown"),
    (onnx_export.require, "huggingface:org/other"),
):
    try:
        ask(pipeline, request(other))
    except PotModelsError as error:
        said[other] = f"{type(error).__name__}: {error}"
print(json.dumps(said))
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The packages of this environment but for those that make a file."""
    folder = tmp_path / "site"
    folder.mkdir()
    for path in Path(sysconfig.get_paths()["purelib"]).iterdir():
        stem = path.name.partition("-")[0].partition(".")[0]
        if stem not in ABSENT and path.suffix != ".pth":
            try:
                (folder / path.name).symlink_to(path)
            except OSError:
                pytest.skip("no symbolic links here")
    return folder


def test_a_file_that_is_there_is_used_and_another_is_refused_by_name(
    cold: tuple[Path, list[Answer]], site: Path
) -> None:
    assert request(MINILM).id.source == "package"
    places = (site, Path(pytest_potmodels.__file__).parents[1], Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-S", "-P", "-c", CODE, str(cold[0]), MINILM, *ABSENT],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    assert said["absent"] == list(ABSENT)
    assert said["key"] == cold[1][0]["key"]
    assert said["shape"] == [2, 5, 384]
    for name in ("mock:vision", "huggingface:org/unknown", "huggingface:org/other"):
        assert said[name].startswith("MissingPackageError: PyTorch not available (not installed)")
