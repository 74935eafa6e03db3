"""What comes with an ONNX form: the parts of the model itself, made when they are looked at."""

import subprocess
import sys
from pathlib import Path

import pytest
from standin.models import tiny_bert

from pytest_potmodels.artifacts import LoadOptions, StoredFile, StoredModel
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.loading.onnx_parts import parts
from pytest_potmodels.loading.onnx_session import LoadedOnnx

WITHOUT_TORCH = """
import sys
from pathlib import Path
from pytest_potmodels.artifacts import LoadOptions, StoredModel
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.loading.onnx_parts import parts

for form in ("torchvision", "mock", "torch_hub", "onnx", "transformers"):
    stored = StoredModel(ModelId("file", "m"), Path(), "vision", form, (), architecture="resnet18")
    made = parts(stored, LoadOptions(), 1000)
assert not {"torch", "transformers", "torchvision"} & set(sys.modules)
"""


def loaded(stored: StoredModel, options: LoadOptions, classes: int) -> LoadedOnnx:
    return LoadedOnnx(
        id=stored.id, model=None, source="cached", kind=stored.kind, path=stored.path,
        **parts(stored, options, classes),
    )  # fmt: skip


def test_none_of_them_imports_a_framework_before_it_is_looked_at() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_TORCH], check=True)


def test_a_network_of_torchvision_has_its_transforms_and_categories() -> None:
    stored = StoredModel(
        ModelId("torchvision", "resnet18"), Path(), "vision", "torchvision", (),
        revision="IMAGENET1K_V1", architecture="resnet18",
    )  # fmt: skip
    model = loaded(stored, LoadOptions(), 1000)
    assert model.config["num_classes"] == len(model.categories) == 1000
    assert model.transforms.crop_size == [224]
    own = loaded(StoredModel(**{**vars(stored), "revision": "weights-1"}), LoadOptions(), 7)
    assert own.categories == ()
    assert own.transforms is None


@pytest.mark.parametrize("form", ["transformers", "onnx"])
def test_a_transformers_model_has_its_tokenizer_and_configuration(
    tmp_path: Path, form: str
) -> None:
    files = []
    for name, data in tiny_bert().items():
        (tmp_path / name).write_bytes(data)
        files.append(StoredFile(name, len(data), ""))
    stored = StoredModel(ModelId("file", "m"), tmp_path, "language", form, tuple(files))  # type: ignore[arg-type]
    model = loaded(stored, LoadOptions(task="text-classification"), 2)
    assert model.tokenizer(["a cat"])["input_ids"]
    assert model.config["model_type"] == "bert"
    assert model.processor is None
    if form == "transformers":
        assert model.categories == ("LABEL_0", "LABEL_1")


def test_a_stand_in_has_its_own() -> None:
    stored = StoredModel(ModelId("mock", "language"), Path(), "language", "mock", ())
    model = loaded(stored, LoadOptions(), 8)
    assert model.tokenizer(["a cat"])["input_ids"]
    assert model.config["architecture"] == "mock-lstm"
