"""The stand-in image classifier."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from pytest_potmodels.mocks.vision import MockTransforms, MockVisionModel
from pytest_potmodels.mocks.weights import build


@pytest.fixture
def model() -> MockVisionModel:
    return build(MockVisionModel, seed=0)


def test_its_convolutions_go_from_3_to_32_to_10_channels(model: MockVisionModel) -> None:
    convolutions = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    assert [(c.in_channels, c.out_channels) for c in convolutions] == [(3, 32), (32, 10)]


@pytest.mark.parametrize("shape", [(1, 3, 8, 8), (2, 3, 9, 31), (1, 3, 224, 224)])
def test_images_of_any_size_give_ten_logits(model: MockVisionModel, shape: tuple[int, ...]) -> None:
    logits = model(torch.rand(shape))
    assert logits.shape == (shape[0], 10)
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("shape", [(3, 8, 8), (1, 1, 8, 8), (1, 3, 7, 8)])
def test_another_shape_is_an_error_that_shows_it(
    model: MockVisionModel, shape: tuple[int, ...]
) -> None:
    with pytest.raises(ValueError, match=r"\(N, 3, H, W\).*found shape \("):
        model(torch.rand(shape))


def test_different_images_give_different_logits(model: MockVisionModel) -> None:
    dark, bright = model(torch.zeros(1, 3, 32, 32)), model(torch.ones(1, 3, 32, 32))
    assert not torch.allclose(dark, bright)


def test_it_trains(model: MockVisionModel) -> None:
    model.train()
    model(torch.rand(4, 3, 16, 16)).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_unknown_attributes_and_arguments_raise(model: MockVisionModel) -> None:
    with pytest.raises(AttributeError, match="no_such_layer"):
        _ = model.no_such_layer
    with pytest.raises(TypeError, match="pixel_values"):
        model(pixel_values=torch.rand(1, 3, 8, 8))


def test_a_picture_an_array_and_a_tensor_of_it_transform_alike() -> None:
    transforms = MockTransforms()
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    from_picture = transforms(Image.fromarray(pixels))
    from_bytes = transforms(torch.from_numpy(pixels).permute(2, 0, 1))
    from_floats = transforms(torch.from_numpy(pixels).permute(2, 0, 1) / 255)
    assert from_picture.shape == (3, 224, 224)
    assert torch.equal(from_picture, transforms(pixels))
    assert torch.equal(from_picture, from_bytes)
    assert torch.allclose(from_picture, from_floats)


def test_grey_pictures_and_batches_transform_too() -> None:
    transforms = MockTransforms()
    assert transforms(Image.new("L", (40, 20), 128)).shape == (3, 224, 224)
    assert transforms(torch.rand(5, 3, 10, 10)).shape == (5, 3, 224, 224)


def test_a_mean_coloured_image_transforms_to_zero() -> None:
    transforms = MockTransforms()
    image = torch.tensor(transforms.mean).view(3, 1, 1).expand(3, 12, 12)
    assert torch.allclose(transforms(image), torch.zeros(3, 224, 224), atol=1e-5)
