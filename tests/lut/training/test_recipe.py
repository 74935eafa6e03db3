"""The `train:` block: what it may hold, and what is said of the rest."""

from typing import Any

import pytest

from pytest_potmodels.errors import LUTError, LUTNameError
from pytest_potmodels.lut.training.recipe import STACK_KEYS, Recipe, recipe_of


def test_a_block_is_a_recipe_and_a_recipe_its_block() -> None:
    block = {"epochs": 3, "lr": 0.1, "shift": 0.5, "runtime": {"flip_probability": 0.1}}
    recipe = recipe_of("mine", block)
    assert recipe == Recipe(epochs=3, lr=0.1, shift=0.5, runtime={"flip_probability": 0.1})
    assert recipe.as_block() == {**block, "batch_size": 128, "seed": 0}
    assert recipe_of("mine", recipe.as_block()) == recipe


def test_where_the_bits_came_from_is_no_part_of_it() -> None:
    stack = dict.fromkeys(STACK_KEYS, "1")
    assert recipe_of("mine", {"epochs": 3, "lr": 0.1, **stack}) == Recipe(epochs=3, lr=0.1)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ({}, "mine says nothing of epochs and lr under train"),
        ({"epochs": 3}, "nothing of lr"),
        ({"epochs": 0, "lr": 0.1}, "train of mine: epochs must be a whole number of at least 1"),
        ({"epochs": 3, "lr": float("nan")}, "lr must be a number above 0, at most 10, got nan"),
        ({"epochs": 3, "lr": 1e300}, "lr must be a number above 0, at most 10"),
        ({"epochs": 3, "lr": 0.1, "warmup": 1}, "warmup must be"),
        ({"epochs": 3, "lr": 0.1, "shift": 1.5}, "shift must be"),
        ({"epochs": 3, "lr": 0.1, "label_smoothing": 1}, "label_smoothing must be"),
        ({"epochs": 3, "lr": 0.1, "runtime": {"temperature": 0}}, "temperature must be"),
        ({"epochs": 3, "lr": 0.1, "runtime": 3}, "runtime must be"),
    ],
)
def test_a_value_that_cannot_be_meant(block: dict[str, Any], said: str) -> None:
    with pytest.raises(LUTError, match=said):
        recipe_of("mine", block)


def test_an_unknown_key_has_close_matches() -> None:
    with pytest.raises(LUTNameError, match=r"train of mine: unknown key 'epoch'.*'epochs'"):
        recipe_of("mine", {"epoch": 3, "lr": 0.1})
    with pytest.raises(LUTNameError, match="'temperature'"):
        recipe_of("mine", {"epochs": 3, "lr": 0.1, "runtime": {"temprature": 1}})
