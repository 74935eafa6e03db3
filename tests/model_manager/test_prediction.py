"""`predict`: what a caller may give to which model, and what is refused."""

import io
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from pytest_potmodels.artifacts import LoadedModel
from pytest_potmodels.errors import UsageError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.mocks import build_mock
from pytest_potmodels.model_manager.prediction import predict


def loaded(kind: Any, **parts: Any) -> LoadedModel:
    mock = build_mock(kind)
    usual: dict[str, Any] = {"tokenizer": mock.tokenizer, "transforms": mock.transforms}
    return LoadedModel(ModelId("mock", kind), mock.model, "mock", kind, **{**usual, **parts})


@pytest.fixture
def vision() -> LoadedModel:
    return loaded("vision")


@pytest.fixture
def language() -> LoadedModel:
    return loaded("language")


def hidden(output: Any) -> torch.Tensor:
    state: torch.Tensor = output.last_hidden_state
    return state


def test_a_tensor_goes_in_as_it_is(vision: LoadedModel) -> None:
    batch = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(predict(vision, batch), vision.model(batch))


@pytest.mark.parametrize("number_type", [np.float32, np.float64])
def test_an_array_becomes_a_tensor_of_the_models_number_type(
    vision: LoadedModel, number_type: Any
) -> None:
    batch = np.zeros((2, 3, 32, 32), dtype=number_type)
    assert torch.equal(predict(vision, batch), predict(vision, torch.zeros(2, 3, 32, 32)))


@pytest.mark.parametrize("number_type", [torch.float64, torch.float16])
def test_numbers_take_the_models_number_type(vision: LoadedModel, number_type: Any) -> None:
    assert predict(vision, torch.zeros(1, 3, 32, 32, dtype=number_type)).dtype == torch.float32


def test_nested_lists_of_numbers_are_an_array(language: LoadedModel) -> None:
    ids = [[2, 70, 71, 3]]
    assert torch.equal(hidden(predict(language, ids)), hidden(predict(language, torch.tensor(ids))))


@pytest.mark.parametrize("make", [torch.zeros, np.zeros], ids=["tensors", "arrays"])
def test_a_list_of_examples_becomes_a_batch(vision: LoadedModel, make: Any) -> None:
    assert predict(vision, [make((3, 32, 32))] * 3).shape == (3, 10)
    assert predict(vision, (make((3, 32, 32)),)).shape == (1, 10)


def test_examples_of_several_shapes_are_no_batch(vision: LoadedModel) -> None:
    with pytest.raises(UsageError, match=r"examples of one shape; these have \[\(3, 8, 8\)"):
        predict(vision, [torch.zeros(3, 8, 8), torch.zeros(3, 16, 16)])


def test_a_mapping_becomes_the_arguments(language: LoadedModel) -> None:
    tokens = language.tokenizer("a cat", return_tensors="pt")
    by_name = hidden(predict(language, dict(tokens.items())))
    assert torch.equal(by_name, hidden(predict(language, tokens)))
    assert torch.equal(by_name, hidden(predict(language, "a cat")))
    arrays = {key: value.numpy() for key, value in tokens.items()}
    assert torch.equal(by_name, hidden(predict(language, arrays)))


def test_texts_are_tokenized_and_padded(language: LoadedModel) -> None:
    texts = ["a cat", "a longer cat", "c"]
    state = hidden(predict(language, texts))
    assert state.shape[:2] == (3, len("a longer cat") + 2)
    assert torch.equal(hidden(predict(language, tuple(texts))), state)
    assert hidden(predict(language, "")).shape[:2] == (1, 2)


def test_a_text_that_is_too_long_loses_its_end(language: LoadedModel) -> None:
    assert hidden(predict(language, "x" * 5000)).shape[1] == 512


@pytest.mark.parametrize("several", [False, True])
def test_images_go_through_the_models_transforms(vision: LoadedModel, *, several: bool) -> None:
    image = Image.new("RGB", (50, 40), "red")
    expected = predict(vision, vision.transforms(image).unsqueeze(0))
    found = predict(vision, [image, image] if several else image)
    assert found.shape[0] == 1 + several
    assert torch.allclose(found[:1], expected, atol=1e-6)


def test_evaluation_mode_and_no_gradients(vision: LoadedModel) -> None:
    vision.model.train()
    output = predict(vision, torch.zeros(1, 3, 32, 32))
    assert not output.requires_grad
    assert not vision.model.training
    assert torch.is_grad_enabled()


def test_a_model_without_parameters_predicts() -> None:
    model = LoadedModel(ModelId("mock", "vision"), nn.Flatten(), "mock", "vision")
    assert predict(model, np.ones((2, 3, 4))).shape == (2, 12)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("a cat", "has no tokenizer; it cannot take a text"),
        (["a", "b"], "has no tokenizer"),
        (torch.zeros(1, 5, 8, 8), "cannot take this Tensor: ValueError"),
        (torch.zeros(3, 2), "cannot take this Tensor"),
        (np.array(["a"]), "cannot take ndarray"),
        ({"pixels": torch.zeros(1, 3, 8, 8)}, "cannot take this dict: TypeError"),
        ({"x": "text"}, "cannot take str"),
        (object(), "cannot take object"),
        (None, "cannot take NoneType"),
        ([], "cannot take this list"),
        ({}, "cannot take this dict"),
    ],
    ids=(
        "text",
        "texts",
        "channels",
        "rank",
        "words",
        "argument",
        "value",
        "object",
        "none",
        "empty list",
        "empty mapping",
    ),
)
def test_what_a_model_cannot_take_is_a_usage_error(
    vision: LoadedModel, data: Any, said: str
) -> None:
    with pytest.raises(UsageError) as raised:
        predict(vision, data)
    assert said in raised.value.message
    assert raised.value.remedy


def test_an_image_needs_transforms(language: LoadedModel) -> None:
    with pytest.raises(UsageError, match="has no transforms; it cannot take an image"):
        predict(language, Image.new("RGB", (8, 8)))


def test_a_processor_takes_images_where_there_are_no_transforms() -> None:
    def processor(*, images: list[Any], return_tensors: str) -> dict[str, Any]:
        assert return_tensors == "pt"
        pixels = torch.stack([torch.full((3, 8, 8), float(image.width)) for image in images])
        return {"input": pixels}

    model = LoadedModel(
        ModelId("mock", "vision"), nn.Flatten(), "mock", "vision", processor=processor
    )
    assert predict(model, Image.new("RGB", (5, 5))).shape == (1, 192)


class Picky(nn.Module):
    """Raises what torchvision's transformers raise over an image of another size, and others."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        raise self.error


@pytest.mark.parametrize(
    "error", [AssertionError("Wrong image height!"), KeyError("x"), AttributeError("no shape")]
)
def test_whatever_a_model_raises_over_data_is_a_usage_error(error: Exception) -> None:
    model = LoadedModel(ModelId("mock", "vision"), Picky(error), "mock", "vision")
    with pytest.raises(UsageError, match=type(error).__name__) as raised:
        predict(model, torch.zeros(1, 3, 8, 8))
    assert "float32 of the shape (1, 3, 8, 8)" in raised.value.remedy


def test_memory_that_does_not_suffice_is_no_mistake_of_the_data() -> None:
    error = torch.OutOfMemoryError("full")
    with pytest.raises(torch.OutOfMemoryError):
        predict(LoadedModel(ModelId("mock", "vision"), Picky(error), "mock", "vision"), [[1.0]])


def test_images_that_transforms_cannot_take_are_a_usage_error(vision: LoadedModel) -> None:
    with pytest.raises(UsageError, match="cannot take this list") as raised:
        predict(vision, [Image.new("RGB", (8, 8)), 3])
    assert raised.value.remedy
    whole = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(whole, "PNG")
    cut = Image.open(io.BytesIO(whole.getvalue()[:60]))
    with pytest.raises(UsageError, match="cannot take this PngImageFile"):
        predict(vision, cut)
