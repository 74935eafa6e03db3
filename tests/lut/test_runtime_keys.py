"""Every runtime key does something, and a network does as its latest overrides say."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from lut_networks import config, fitted, samples

from pytest_potmodels.lut import SimpleFeedForward
from pytest_potmodels.lut.configuration.runtime import RUNTIME

Seen = list[torch.Tensor]


def answers(runtime: dict[str, Any]) -> Seen:
    return [fitted(runtime=runtime)(samples())]


def training(runtime: dict[str, Any]) -> Seen:
    """One forward and backward, of nodes that know every key."""
    model = fitted(runtime=runtime, node_type="dwn_stable").train()
    found = model(samples())
    found.square().sum().backward()
    return [found.detach(), *(p.grad for p in model.parameters() if p.grad is not None)]


def losses(runtime: dict[str, Any]) -> Seen:
    return [fitted(runtime=runtime).get_regularization_loss().detach()]


def starts(runtime: dict[str, Any]) -> Seen:
    return [parameter.detach() for parameter in fitted(runtime=runtime).parameters()]


SAMPLING = {"seed": 0, "eval_mode": "sampling"}
FLIPS = {"seed": 0, "flip_probability": 0.3}
STABLE = {"seed": 0, "grad_stabilization": "layerwise"}
#: Key -> what it is put on top of, a value that is not the default, and where it is seen.
EFFECTS: dict[str, tuple[dict[str, Any], Any, Callable[[dict[str, Any]], Seen]]] = {
    "temperature": ({"seed": 0}, 0.25, answers),
    "eval_mode": ({"seed": 0}, "deterministic", answers),
    "num_samples": (SAMPLING, 5, answers),
    "seed": (SAMPLING, 1, answers),
    "flip_probability": ({"seed": 0}, 0.3, answers),
    "flip_where": (FLIPS, "all_layers", answers),
    "dropout": ({"seed": 0}, 0.5, training),
    "grad_stabilization": ({"seed": 0}, "batchwise", training),
    "grad_target_std": (STABLE, 3.0, training),
    "grad_subtract_mean": (STABLE, True, training),
    "grad_epsilon": (STABLE, 0.5, training),
    "gradient_scale": ({"seed": 0}, 2.0, training),
    "output_tau": ({"seed": 0}, 7.0, answers),
    "regularizers": ({"seed": 0}, {"clarity": {"weight": 0.5}}, losses),
    "init_fn": ({"seed": 0}, "normal", starts),
    "init_params": ({"seed": 0, "init_fn": "normal"}, {"std": 3.0}, starts),
}


def same(one: Seen, other: Seen) -> bool:
    return all(map(torch.equal, one, other))


def test_no_key_is_left_out() -> None:
    assert list(EFFECTS) == list(RUNTIME)


@pytest.mark.parametrize("key", EFFECTS)
def test_a_key_has_an_effect_that_is_the_same_each_time(key: str) -> None:
    below, value, seen = EFFECTS[key]
    without, changed = seen(below), seen({**below, key: value})
    assert not same(without, changed)
    assert same(without, seen(below))
    assert same(changed, seen({**below, key: value}))


@pytest.mark.parametrize("key", [key for key in EFFECTS if not key.startswith("init_")])
def test_an_override_does_what_the_configuration_would_have_done(key: str) -> None:
    below, value, _ = EFFECTS[key]
    built = fitted(runtime={**below, key: value}, node_type="dwn_stable")
    changed = fitted(runtime=below, node_type="dwn_stable")
    changed.load_state_dict(built.state_dict())  # Seeds draw other weights.
    changed.apply_runtime_overrides({key: value})
    changed.apply_runtime_overrides({"seed": built.config.setting("seed")})
    built.apply_runtime_overrides({"seed": built.config.setting("seed")})
    assert changed.config == built.config
    for model in (built, changed):
        model.eval()
    assert torch.equal(built(samples()), changed(samples()))
    found = []
    for model in (built.train(), changed.train()):
        loss = model(samples()).square().sum() + model.get_regularization_loss()
        found.append(torch.autograd.grad(loss, list(model.parameters())))
    assert same(*map(list, found))


def test_a_seed_leaves_the_random_state_of_the_process_alone() -> None:
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    noisy = {**FLIPS, "flip_where": "all_layers", "dropout": 0.3}
    for layer in ("random", "learnable"):
        model = SimpleFeedForward(config(layer_type=layer, runtime=noisy))
        model.fit_encoder(samples())
        model.train()(samples()).sum().backward()
        for mode in ("expectation", "deterministic", "sampling"):
            model(samples(), eval_mode=mode)
        model.apply_runtime_overrides({"seed": 3})
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("mode", ["expectation", "sampling", "deterministic"])
def test_more_samples_than_go_in_at_once_are_answered_one_by_one_alike(mode: str) -> None:
    model = fitted(runtime={"seed": 0})
    many = samples(5000)
    found = model(many, eval_mode=mode)
    assert found.shape == (5000, 3)
    if mode != "sampling":
        assert torch.equal(found[4000:4500], model(many[4000:4500], eval_mode=mode))


@pytest.mark.parametrize("node", ["probabilistic", "linear_lut", "warp"])
def test_gradients_through_all_layers_are_those_of_numerical_differences(node: str) -> None:
    runtime = {"seed": 0, "temperature": 0.7}
    model = fitted(node_type=node, layer_widths=[60, 60, 30], node_input_dim=4, runtime=runtime)
    model.double().train()
    names = [name for name, _ in model.named_parameters()]

    def whole(*values: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = torch.func.functional_call(
            model, dict(zip(names, values, strict=True)), (samples(5),)
        )
        return found

    values = tuple(p.detach().clone().requires_grad_() for p in model.parameters())
    assert torch.autograd.gradcheck(whole, values, fast_mode=True)
