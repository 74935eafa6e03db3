"""Images that are moved by a pixel."""

import torch

from pytest_potmodels.lut.training.augmentation import shifted

SHAPE = (2, 5, 4)


def images(count: int) -> torch.Tensor:
    """One pixel of its own value in each channel, in the middle."""
    made = torch.zeros(count, *SHAPE)
    made[:, 0, 2, 2], made[:, 1, 2, 2] = 3, 7
    return made.flatten(1)


def test_each_channel_of_an_image_moves_alike_and_by_one_pixel_at_most() -> None:
    moved = shifted(images(400), SHAPE, 1.0, torch.Generator().manual_seed(0)).view(-1, *SHAPE)
    first, second = (moved[:, channel] for channel in (0, 1))
    assert torch.equal(first * 7, second * 3)
    assert (first.flatten(1).sum(1) == 3).all()
    places = {tuple(place) for place in first.nonzero()[:, 1:].tolist()}
    assert places == {(row, column) for row in (1, 2, 3) for column in (1, 2, 3)}


def test_what_leaves_is_lost_and_what_enters_is_zero() -> None:
    moved = shifted(torch.ones(200, 40), SHAPE, 1.0, torch.Generator().manual_seed(0))
    assert set(moved.sum(1).tolist()) == {40.0, 30.0, 32.0, 24.0}


def test_a_share_of_them_stays() -> None:
    generator = torch.Generator().manual_seed(0)
    still = (shifted(images(2000), SHAPE, 0.5, generator) == images(2000)).all(1)
    # Half are not chosen, and of the chosen each ninth moves nowhere.
    assert 1000 < still.sum() < 1220
    assert torch.equal(shifted(images(9), SHAPE, 0.0, generator), images(9))


def test_the_same_seed_moves_the_same_way() -> None:
    first, second = (
        shifted(images(50), SHAPE, 0.5, torch.Generator().manual_seed(3)) for _ in range(2)
    )
    assert torch.equal(first, second)
