import pytest
import torch
from lut_networks import config, fitted, samples

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut import SimpleFeedForward, copy_matching_weights


def test_a_network_with_other_classes_takes_all_layers_and_thresholds() -> None:
    source = fitted()
    target = SimpleFeedForward(config(num_classes=2, input_size=8, runtime={"seed": 5}))
    found = copy_matching_weights(source, target)
    assert found.copied == ("encoder", "layers.0", "layers.1")
    assert not found.left
    for name, tensor in source.state_dict().items():
        assert torch.equal(target.state_dict()[name], tensor)
    assert target.eval()(samples()).shape == (20, 2)
    ones = [
        (model(samples(), eval_mode="hard") * model.config.output_tau).round().sum(1)
        for model in (source, target)
    ]
    assert torch.equal(*ones)


def test_nothing_is_shared_afterwards() -> None:
    source = fitted()
    before = {name: tensor.clone() for name, tensor in source.state_dict().items()}
    target = SimpleFeedForward(config(input_size=8))
    copy_matching_weights(source, target)
    for tensor in target.state_dict().values():
        tensor.zero_()
    for name, tensor in source.state_dict().items():
        assert torch.equal(tensor, before[name])


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        (
            {"layer_widths": [12, 9]},
            {"layers.1": "mapping: (6, 3) in the source, (9, 3) in the target"},
        ),
        (
            {"layer_widths": [12, 6, 3]},
            {"layers.2": "the source has none"},
        ),
        (
            {"layer_widths": [15, 6]},
            {
                "layers.0": "mapping: (12, 3) in the source, (15, 3) in the target",
                "layers.1": "inputs: 12 in the source, 15 in the target",
            },
        ),
        (
            {"encoder_config": {"name": "gaussian", "num_bits": 2}},
            {"encoder": "kind: Thermometer in the source, GaussianThermometer in the target"},
        ),
    ],
)
def test_what_does_not_fit_is_left_and_the_report_says_why(
    changes: dict[str, object], left: dict[str, str]
) -> None:
    source, target = fitted(), SimpleFeedForward(config(input_size=8, **changes))
    before = {name: tensor.clone() for name, tensor in target.state_dict().items()}
    found = copy_matching_weights(source, target)
    assert found.left == left
    for part, why in left.items():
        for name, tensor in target.state_dict().items():
            if name.startswith(part):
                assert torch.equal(tensor.nan_to_num(), before[name].nan_to_num())
        assert f"left {part}: {why}" in str(found)
    for part in found.copied:
        assert f"copied {part}" in str(found)


def test_tables_of_another_kind_are_not_taken_for_their_shape() -> None:
    found = copy_matching_weights(
        fitted(), SimpleFeedForward(config(input_size=8, node_type="dwn"))
    )
    assert found.copied == ("encoder",)
    assert "node: ProbabilisticNode in the source, DWNNode in the target" in found.left["layers.0"]


def test_thresholds_that_were_fitted_to_other_data_stay() -> None:
    target = SimpleFeedForward(config())
    target.fit_encoder(samples(seed=9))
    before = target.state_dict()["encoder.thresholds"].clone()
    found = copy_matching_weights(fitted(), target)
    assert found.left == {"encoder": "the target's is fitted already"}
    assert torch.equal(target.state_dict()["encoder.thresholds"], before)


@pytest.mark.parametrize("frozen", [True, False])
def test_connections_that_are_being_learned_go_on_from_those_of_the_source(
    frozen: bool,  # noqa: FBT001
) -> None:
    source = fitted(layer_type="learnable")
    if frozen:
        source.freeze()
    target = SimpleFeedForward(config(layer_type="learnable", input_size=8, runtime={"seed": 3}))
    copy_matching_weights(source, target)
    assert torch.equal(target.eval()(samples()), source(samples()))
    assert ("layers.0.connections" in target.state_dict()) is not frozen


def test_a_network_without_tensors_is_an_error() -> None:
    with pytest.raises(LUTError, match="the target has no tensors yet"):
        copy_matching_weights(fitted(), SimpleFeedForward(config()))
    with pytest.raises(LUTError, match="the source has no tensors yet"):
        copy_matching_weights(SimpleFeedForward(config()), fitted())
