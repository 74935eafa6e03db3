"""A feed-forward network: built when its width is known, read in four ways, the same every time."""

import copy
import math
from typing import Any

import pytest
import torch
from lut_networks import config, fitted, samples

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut import REGISTRY, SimpleFeedForward, harden
from pytest_potmodels.lut.encoders.thermometers import Thermometer
from pytest_potmodels.lut.layers import Layer
from pytest_potmodels.lut.running import Pass

NODES = ["probabilistic", "dwn", "dwn_stable", "linear_lut", "warp"]
LAYERS = ["random", "learnable", "arange"]
MODES = ["expectation", "deterministic", "sampling"]


def layers_of(model: SimpleFeedForward) -> list[Layer]:
    return [layer for layer in model.layers if isinstance(layer, Layer)]


def counted_by_hand(model: SimpleFeedForward, x: torch.Tensor) -> list[list[int]]:
    """The counts of each class, one LUT and sample at a time."""
    rows = []
    for sample in model.encode(x).int().tolist():
        bits = sample
        for layer in layers_of(model):
            table = layer.node.table().int().tolist()
            wires = layer.mapping.tolist()
            bits = [
                table[lut][sum(bits[wire] << place for place, wire in enumerate(wires[lut]))]
                for lut in range(len(wires))
            ]
        size = len(bits) // model.config.num_classes
        rows.append([sum(bits[at : at + size]) for at in range(0, len(bits), size)])
    return rows


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("layer", LAYERS)
def test_deterministic_counts_the_bits_of_the_tables(node: str, layer: str) -> None:
    model = fitted(node_type=node, layer_type=layer)
    x = samples(200, seed=3)  # So many go through the hardened network, and fewer do not.
    counts = torch.tensor(counted_by_hand(model, x), dtype=torch.float32)
    expected = counts / model.config.output_tau
    for mode in ("deterministic", "threshold", "hard"):
        assert torch.equal(model(x, eval_mode=mode), expected)
        assert torch.equal(model(x[:50], eval_mode=mode), expected[:50])
    assert (harden(model)(x.numpy()) == counts.numpy()).all()


def test_many_samples_go_through_parts_of_the_users_own_as_few_do() -> None:
    class Upside(Thermometer):
        def bits(self, inputs: torch.Tensor) -> torch.Tensor:
            return ~super().bits(inputs)

    class Doubled(SimpleFeedForward):
        def outputs(self, bits: torch.Tensor, run: Pass) -> torch.Tensor:
            return super().outputs(bits, run).repeat_interleave(2, dim=0)

    x = samples(200)
    own = fitted()
    assert own.encoder is not None
    upside = Upside(8, num_bits=2)
    upside.load_state_dict(own.encoder.state_dict())
    own.encoder = upside
    doubled = Doubled(config())
    doubled.fit_encoder(samples())
    for model in (own, doubled):
        few = torch.cat([model(part, eval_mode="hard") for part in torch.split(x, 20)])
        assert torch.equal(model(x, eval_mode="hard"), few)


def test_deterministic_follows_weights_that_were_changed_in_place() -> None:
    model, x = fitted(), samples(200)
    before = model(x, eval_mode="hard")
    with torch.no_grad():
        for layer in layers_of(model):
            layer.get_parameter("node.logits").data.neg_()
    after = model(x, eval_mode="hard")
    assert not torch.equal(after, before)
    assert torch.equal(after[:9], model(x[:9], eval_mode="hard"))


@pytest.mark.parametrize("node", NODES)
def test_expectation_is_the_forward_of_training(node: str) -> None:
    model, x = fitted(node_type=node, runtime={"seed": 0, "temperature": 0.5}), samples()
    expected = model.train()(x)
    assert expected.requires_grad
    torch.testing.assert_close(model.eval()(x), expected, rtol=1e-6, atol=1e-6)


def test_one_layer_in_expectation_is_the_mean_of_sampling() -> None:
    model, x = fitted(layer_widths=[6]), samples(3)
    model.apply_runtime_overrides({"num_samples": 1500, "seed": 1})
    mean = model(x, eval_mode="sampling")
    torch.testing.assert_close(mean, model(x, eval_mode="expectation"), rtol=0, atol=0.06)


def test_samples_come_from_the_seed_and_a_copy_goes_on_where_the_original_was() -> None:
    x = samples()
    model, other = (fitted(runtime={"seed": 5, "eval_mode": "sampling"}) for _ in range(2))
    before = torch.get_rng_state()
    first, second = model(x), model(x)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(first, second)
    assert torch.equal(other(x), first)
    assert torch.equal(copy.deepcopy(other)(x), second)
    model.apply_runtime_overrides({"seed": 5})
    assert torch.equal(model(x), first)


def test_the_temperature_changes_no_hard_prediction() -> None:
    model, x = fitted(), samples(60)
    hard, soft = model(x, eval_mode="hard"), model(x)
    model.apply_runtime_overrides({"temperature": 0.1})
    assert torch.equal(model(x, eval_mode="hard"), hard)
    assert not torch.equal(model(x), soft)


@pytest.mark.parametrize("mode", ["expectation", "deterministic"])
def test_flips_are_applied_in_eval_too_to_the_encoded_input(mode: str) -> None:
    model, x = fitted(runtime={"seed": 0, "eval_mode": mode}), samples(150)
    assert model.encoder is not None
    turned = 1 - model.encoder.bits(x).to(torch.uint8)
    run = model._pass(None)
    given = turned if run.mode == "hard" else turned.float()
    expected = model.group_sum(model.outputs(given, run))
    model.apply_runtime_overrides({"flip_probability": 1.0})
    torch.testing.assert_close(model(x), expected)


def test_flips_come_from_the_seed() -> None:
    changes: dict[str, Any] = {"runtime": {"seed": 4, "flip_probability": 0.2}}
    model, same, x = fitted(**changes), fitted(**changes), samples()
    first = model(x)
    assert not torch.equal(model(x), first)
    assert torch.equal(same(x), first)


@pytest.mark.parametrize("mode", MODES)
def test_no_samples_give_no_logits(mode: str) -> None:
    assert fitted()(samples(0), eval_mode=mode).shape == (0, 3)


def test_what_goes_in_stays_as_it_is_and_integers_are_welcome() -> None:
    model, x = fitted(), samples(30).round()
    before = x.clone()
    for mode in MODES:
        model(x, eval_mode=mode)
    assert torch.equal(x, before)
    assert torch.equal(model(x.long()), model(x))
    assert torch.equal(model(x.view(30, 2, 4)), model(x))


def test_without_an_input_size_it_is_built_when_the_encoder_is_fitted() -> None:
    given = config()
    model = SimpleFeedForward(given)
    assert not list(model.parameters())
    with pytest.raises(LUTError, match=r"not fitted(.|\n)*fit_encoder"):
        model(samples())
    model.fit_encoder(samples())
    assert model.get_config().input_size == 8
    assert given.input_size is None
    known = SimpleFeedForward(config(input_size=8))
    assert [p.shape for p in known.parameters()] == [p.shape for p in model.parameters()]
    assert model(samples()).shape == (20, 3)


def test_data_that_the_network_cannot_be_built_for_changes_nothing() -> None:
    model = SimpleFeedForward(config(layer_type="learnable", layer_widths=[3000]))
    with pytest.raises(LUTError, match="learn its connections in a matrix"):
        model.fit_encoder(torch.rand(2, 6000))
    assert model.config.input_size is None
    assert model.encoder is None
    model.fit_encoder(samples())


def test_an_encoder_is_fitted_once_unless_it_is_to_be_fitted_again() -> None:
    model = fitted()
    before = [p.clone() for p in model.parameters()]
    with pytest.raises(LUTError, match=r"fitted already(.|\n)*refit=True"):
        model.fit_encoder(samples(seed=9))
    old = model.encode(samples())
    model.fit_encoder(samples(seed=9) * 2, refit=True)
    assert not torch.equal(model.encode(samples()), old)
    assert all(map(torch.equal, model.parameters(), before))


@pytest.mark.parametrize("layer", LAYERS)
def test_a_seed_builds_the_same_network_and_each_layer_has_its_own(layer: str) -> None:
    changes: dict[str, Any] = {"layer_type": layer, "layer_widths": [12, 12, 12]}
    model, same = fitted(**changes), fitted(**changes)
    other = fitted(**changes, runtime={"seed": 1})
    for name, values in model.state_dict().items():
        assert torch.equal(values, same.state_dict()[name])
    first, second, third = (layer.node.scores() for layer in layers_of(model))
    assert not torch.equal(first, layers_of(other)[0].node.scores())
    assert not torch.equal(second, third)


def test_layers_start_as_init_fn_says() -> None:
    runtime = {"seed": 0, "init_fn": "residual", "init_params": {"strength": 2.0, "noise": 0.0}}
    (logits, *_) = (layer.node.scores() for layer in layers_of(fitted(runtime=runtime)))
    assert logits[0].tolist() == [-2, 2] * 4
    with pytest.raises(LUTError, match=r"init_fn residual cannot take init_params \{'gain': 1\}"):
        fitted(runtime={"init_fn": "residual", "init_params": {"gain": 1}})


def test_the_regularization_loss_is_exactly_nothing_or_differentiable() -> None:
    model = fitted()
    nothing = model.get_regularization_loss()
    assert nothing.shape == ()
    assert nothing.item() == 0
    model.apply_runtime_overrides({"regularizers": {"entropy": {"weight": 0.5}}})
    found = model.get_regularization_loss()
    expected = sum(
        0.5 * REGISTRY.get_regularizer("entropy")(layer.node.probabilities(1.0)).item()
        for layer in layers_of(model)
    )
    assert found.item() == pytest.approx(expected)
    found.backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())


def test_overrides_change_all_values_or_none_and_never_the_configuration_given() -> None:
    given = config(input_size=8)
    model = SimpleFeedForward(given)
    with pytest.raises(LUTError):
        model.apply_runtime_overrides({"temperature": 0.5, "eval_mode": "hardd"})
    assert model.config.setting("temperature") == 1.0
    model.apply_runtime_overrides({"temperature": 0.5, "output_tau": 4.0})
    assert given.setting("temperature") == 1.0
    assert model.group_sum.tau == 4.0
    model.get_config().runtime["temperature"] = 9
    assert model.config.setting("temperature") == 0.5


def test_clamping_and_freezing_reach_every_layer() -> None:
    model = fitted(node_type="dwn", layer_type="learnable")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(5)
    model.clamp()
    assert all(layer.node.scores().abs().max() == 1 for layer in layers_of(model))
    before = model(samples())
    model.freeze()
    assert [name.rpartition(".")[2] for name, _ in model.named_parameters()] == ["logits"] * 2
    assert torch.equal(model(samples()), before)


@pytest.mark.parametrize("layer", ["random", "learnable"])
@pytest.mark.parametrize("node", NODES)
def test_it_learns(node: str, layer: str) -> None:
    model = fitted(node_type=node, layer_type=layer, layer_widths=[60, 30]).train()
    x = samples(300, seed=2)
    bits = model.encode(x)
    labels = (bits[:, 0] + bits[:, 3]).long()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    losses = []
    for _ in range(40):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(x), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        model.clamp()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    right = model.eval()(x, eval_mode="hard").argmax(1) == labels
    if node != "linear_lut":  # Its tables are few of all there are; its sums need not be near them.
        assert right.float().mean() > 0.8


def test_a_copy_shares_nothing_with_its_original() -> None:
    model, x = fitted(layer_type="learnable"), samples()
    other = copy.deepcopy(model)
    other.freeze()
    other.apply_runtime_overrides({"temperature": 9.0})
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.neg_()
    assert [name for name, _ in model.named_parameters() if "connections" in name]
    assert model.config.setting("temperature") == 1.0
    assert not torch.equal(model(x, eval_mode="hard"), other(x, eval_mode="hard"))
    third = copy.deepcopy(model)
    third.load_state_dict({k: v for k, v in model.state_dict().items() if "connec" not in k})
    assert torch.equal(third(x), model(x))
    assert not [name for name, _ in third.named_parameters() if "connections" in name]


@pytest.mark.parametrize("node", NODES)
def test_in_double_precision_all_of_it_is(node: str) -> None:
    model, x = fitted(node_type=node), samples()
    expected = model(x)
    assert model.double()(x).dtype == torch.float64
    assert model.get_regularization_loss().dtype == torch.float64
    torch.testing.assert_close(model(x).float(), expected, rtol=1e-5, atol=1e-5)


def test_what_is_printed_says_how_it_runs_and_what_repeats_it() -> None:
    model = fitted(runtime={"seed": 3, "eval_mode": "sampling", "num_samples": 8})
    shown = repr(model)
    assert "eval_mode=sampling, 8 samples, seed=3" in shown
    assert "12 LUTs of 3 inputs" in shown
    assert "8 features, 2 bits each, fitted" in shown


def test_dropout_is_noise_of_training() -> None:
    model, x = fitted(runtime={"seed": 0, "dropout": 0.5}), samples()
    assert torch.equal(model(x), model(x))
    model.train()
    assert not torch.equal(model(x), model(x))


def test_a_call_may_say_how_it_is_read_even_in_training() -> None:
    model, x = fitted(), samples()
    expected = model(x, eval_mode="hard")
    assert torch.equal(model.train()(x, eval_mode="hard"), expected)
    with pytest.raises(LUTError, match="one of expectation, deterministic, sampling"):
        model(x, eval_mode="hardly")


def test_logits_are_divided_by_the_root_of_a_groups_size() -> None:
    model = fitted()
    assert model.group_sum.tau == pytest.approx(math.sqrt(6 / 3))
