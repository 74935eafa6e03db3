import pytest
from lut_networks import config

from pytest_potmodels.errors import LUTError, LUTNameError
from pytest_potmodels.lut import REGISTRY

IMAGE = {"model_type": "convnet", "conv_input_shape": [1, 4, 4]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"node_input_dim": 0}, "node_input_dim must be a whole number from 1 to 12, got 0"),
        ({"node_input_dim": 13}, "from 1 to 12, got 13"),
        ({"node_input_dim": True}, "from 1 to 12, got True"),
        ({"node_input_dim": 6.0}, "from 1 to 12, got 6.0"),
        ({"layer_widths": []}, r"layer_widths must be a list of .*, got \[\]"),
        ({"layer_widths": [4, 0]}, r"layer_widths must be a list of .*, got \[4, 0\]"),
        ({"layer_widths": 12}, "layer_widths must be a list of .*, got 12"),
        ({"layer_widths": [1000], "num_classes": 7}, r"got 1000 % 7 != 0(.|\n)*use 1001"),
        ({"num_classes": 1}, "num_classes must be a whole number of at least 2, got 1"),
        ({"input_size": 0}, "input_size must be .*, got 0"),
        ({"encoder_config": {}}, "encoder_config has no name"),
        ({"encoder_config": 4}, "encoder_config must be a mapping"),
        (
            {"encoder_config": {"name": "thermometer", "num_bits": 0}},
            r"encoder_config\.num_bits must be a whole number from 1 to 256, got 0",
        ),
        (
            {"encoder_config": {"name": "thermometer", "num_bits": 2, "feature_wise": 1}},
            r"feature_wise must be true or false, got 1",
        ),
        ({"model_type": "convnet"}, "a convnet needs conv_input_shape"),
        ({**IMAGE, "conv_input_shape": [1, 4]}, "conv_input_shape must be three whole numbers"),
        ({**IMAGE, "input_size": 15}, r"\[1, 4, 4\] has 16 values, and input_size is 15"),
        ({**IMAGE, "conv_stride": 0}, "conv_stride must be a whole number of at least 1, got 0"),
        ({**IMAGE, "conv_pooling": "max"}, "conv_pooling must be one of average, or, got 'max'"),
        (
            {"layer_type": "learnable", "input_size": 10**6, "layer_widths": [3000]},
            r"layer 0 would learn its connections in a matrix of 2000000 x 9000 \(72.0 GB\)",
        ),
        ({"pretrained": "yes"}, "pretrained must be true or false, got 'yes'"),
        ({"dataset": 3}, "dataset must be a text, or none, got 3"),
        ({"node_type": 3}, "node_type must be a text, got 3"),
    ],
)
def test_what_a_network_cannot_be_is_said(changes: dict[str, object], said: str) -> None:
    with pytest.raises(LUTError, match=said):
        config(**changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"node_type": "probabilstic"}, r"unknown node_type 'probabilstic'.*'probabilistic'"),
        ({"layer_type": "randum"}, r"unknown layer_type 'randum'.*'random'"),
        ({"model_type": "feedfoward"}, r"unknown model_type 'feedfoward'.*'feedforward'"),
        ({"encoder_config": {"name": "thermo"}}, r"unknown encoder_config.name 'thermo'"),
        (
            {"encoder_config": {"name": "thermometer", "numbits": 2}},
            r"unknown key of encoder_config 'numbits'. Did you mean 'num_bits'",
        ),
    ],
)
def test_unknown_parts_are_errors_with_close_matches(changes: dict[str, object], said: str) -> None:
    with pytest.raises(LUTNameError, match=said) as error:
        config(**changes)
    assert "registered: " in error.value.remedy or "keys: " in error.value.remedy


def test_a_part_of_the_users_own_is_known_once_it_is_registered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(REGISTRY._added, "encoder", {})
    mine = {"name": "mine_of_structural", "depth": 3}
    with pytest.raises(LUTNameError):
        config(encoder_config=mine)
    REGISTRY.register_encoder("mine_of_structural")(object)
    assert config(encoder_config=mine).encoder_config["depth"] == 3
