"""Vision tests: real weights where the network has them, an announced mock elsewhere."""

import pytest
import torch


def test_gives_one_score_per_class(minimal_vision_model):
    scores = minimal_vision_model(torch.zeros(2, 3, 224, 224))
    assert scores.shape == (2, 10 if minimal_vision_model.is_mock else 1000)


def test_an_image_alone_scores_as_in_a_batch(vision_model):
    images = torch.rand(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        vision_model(images)[:1], vision_model(images[:1]), rtol=1e-3, atol=1e-4
    )


@pytest.mark.pot_preset("test")
def test_needs_the_shape_of_a_model_and_no_weights(vision_model):
    assert vision_model.is_mock
    assert vision_model(torch.zeros(1, 3, 32, 32)).shape == (1, 10)


@pytest.mark.requires_model("resnet18")
def test_knows_what_it_classifies(vision_model):
    assert "golden retriever" in vision_model.categories
