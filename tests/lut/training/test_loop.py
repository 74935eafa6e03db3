"""The train loop: it learns, it repeats itself to the bit, and it says where it cannot go on."""

import math

import pytest
import torch
from lut.training.tiny import config, few

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.training.accuracy import measure
from pytest_potmodels.lut.training.images import Dataset
from pytest_potmodels.lut.training.loop import Epoch, Trained, train
from pytest_potmodels.lut.training.recipe import Recipe

RECIPE = Recipe(epochs=4, lr=0.2, batch_size=64, connections_lr=0.05)


def trained(data: Dataset, recipe: Recipe = RECIPE, **changes: object) -> Trained:
    return train(config(**changes), recipe, data.train, data.shape)


def weights(made: Trained) -> dict[str, torch.Tensor]:
    return made.model.state_dict()


@pytest.fixture(scope="module")
def data(digits: Dataset) -> Dataset:
    return few(digits, 640)


@pytest.fixture(scope="module")
def first(data: Dataset) -> Trained:
    return trained(data)


def same(one: Trained, other: Trained) -> bool:
    pairs = zip(weights(one).items(), weights(other).items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in pairs)


def test_it_learns(first: Trained, data: Dataset) -> None:
    losses = [epoch.loss for epoch in first.epochs]
    assert losses == sorted(losses, reverse=True)
    assert measure(first.model, data.held_out).hard > 60


def test_the_same_seed_gives_the_same_bits_whatever_else_is_set(
    first: Trained, data: Dataset
) -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    torch.manual_seed(7)
    torch.set_num_threads(2)
    try:
        again = trained(data)
        assert torch.get_num_threads() == 2
        assert not torch.are_deterministic_algorithms_enabled()
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(state)
    assert same(first, again)
    assert [epoch.loss for epoch in first.epochs] == [epoch.loss for epoch in again.epochs]


def test_another_seed_gives_another_mapping_and_other_tables(first: Trained, data: Dataset) -> None:
    other = trained(data, Recipe(**{**vars(RECIPE), "seed": 1}))
    differing = {
        name
        for name, tensor in weights(first).items()
        if not torch.equal(tensor, weights(other)[name])
    }
    assert {"layers.0.mapping", "layers.0.node.logits"} <= differing
    assert "encoder.thresholds" not in differing


def test_the_model_comes_in_eval_mode_with_its_own_runtime_values(data: Dataset) -> None:
    noisy = Recipe(
        epochs=1, lr=0.1, batch_size=64, shift=0.5, label_smoothing=0.1,
        runtime={"flip_probability": 0.3, "temperature": 2.0},
    )  # fmt: skip
    made = trained(data, noisy, runtime={"temperature": 0.5})
    assert not made.model.training
    assert made.model.config.setting("temperature") == 0.5
    assert made.model.config.setting("flip_probability") == 0.0
    assert not [name for name, _ in made.model.named_parameters() if "connections" in name]


@pytest.mark.parametrize(
    "change",
    [
        {"shift": 0.5},
        {"label_smoothing": 0.2},
        {"warmup": 0.6},
        {"connections_lr": 0.5},
        {"runtime": {"flip_probability": 0.1}},
        {"runtime": {"regularizers": {"entropy": {"weight": 0.5}}}},
    ],
    ids=str,
)
def test_each_part_of_a_recipe_has_an_effect(
    change: dict[str, object], first: Trained, data: Dataset
) -> None:
    assert not same(first, trained(data, Recipe(**{**vars(RECIPE), **change})))


def test_the_accuracy_on_training_images_is_looked_at_now_and_then(data: Dataset) -> None:
    told: list[Epoch] = []
    recipe = Recipe(epochs=45, lr=0.1, batch_size=640)
    train(config(), recipe, data.train, data.shape, on_epoch=told.append)
    assert [epoch.number for epoch in told] == list(range(1, 46))
    looks = [epoch.number for epoch in told if epoch.accuracy]
    assert looks == [*range(3, 46, 3)]
    last = told[-1].accuracy
    assert last is not None
    assert last.images == 640


def test_fewer_images_than_a_step_takes(data: Dataset) -> None:
    with pytest.raises(LUTError, match="640 images, fewer than batch_size 1000") as caught:
        trained(data, Recipe(epochs=1, lr=0.1, batch_size=1000))
    assert caught.value.remedy == "batch_size: 640"


def test_a_loss_that_is_no_number(data: Dataset) -> None:
    large = {"init_fn": "normal", "init_params": {"std": 3e38}}
    with pytest.raises(LUTError, match=r"The loss is (inf|nan) in epoch 1 of 4") as caught:
        trained(data, node_type="linear_lut", runtime=large)
    assert "lower lr" in caught.value.remedy


def test_measuring_counts_what_is_right(first: Trained, data: Dataset) -> None:
    found = measure(first.model, data.held_out)
    guessed = first.model(data.held_out.pixels, eval_mode="deterministic").argmax(1)
    assert found.hard_correct == int((guessed == data.held_out.labels).sum())
    assert found.hard == round(100 * found.hard_correct / 360, 2)
    assert math.isclose(found.gap, found.soft - found.hard, abs_tol=0.006)
    assert found.as_json() == {
        "soft": found.soft, "hard": found.hard, "gap": found.gap, "images": 360,
    }  # fmt: skip
