import copy
import math
from pathlib import Path

import pytest
from lut_networks import SEED, SMALL, config

from pytest_potmodels.errors import LUTError, LUTNameError
from pytest_potmodels.lut.configuration import ModelConfig


def written(folder: Path, text: str) -> Path:
    path = folder / "network.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_documented_yaml_is_read_as_it_stands(tmp_path: Path) -> None:
    found = ModelConfig.from_yaml(str(written(tmp_path, SEED)))
    assert found.layer_widths == [1024, 1000]
    assert found.encoder_config == {"name": "thermometer", "num_bits": 4, "feature_wise": True}
    assert (found.input_size, found.dataset) == (784, "mnist")
    assert found.setting("regularizers")["clarity"] == {"weight": 0.0001}
    assert (found.pretrained, found.pretrained_name) == (True, "mnist_large")


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"input_size": 8, "dataset": "digits", "pretrained": True, "pretrained_name": "1e5"},
        {"runtime": {"temperature": 1e-3, "output_tau": 2.5, "eval_mode": "hard"}},
        {"runtime": {"init_fn": "normal", "init_params": {"std": 1}}},
        {"runtime": {"regularizers": {"entropy": {"weight": 1e-7}}, "init_fn": "zeros"}},
        {"model_type": "convnet", "conv_input_shape": [1, 8, 8], "conv_pooling": "or"},
    ],
)
def test_what_is_written_is_read_again(changes: dict[str, object], tmp_path: Path) -> None:
    said = config(**changes)
    said.to_yaml(tmp_path / "new" / "network.yaml")
    found = ModelConfig.from_yaml(tmp_path / "new" / "network.yaml")
    assert found.structure() == said.structure()
    assert found.sha256() == said.sha256()
    assert (found.runtime, found.pretrained_name) == (said.runtime, said.pretrained_name)


def test_a_file_that_is_there_is_replaced_only_when_that_is_said(tmp_path: Path) -> None:
    path = written(tmp_path, SEED)
    with pytest.raises(LUTError, match="is there already"):
        config().to_yaml(path)
    assert path.read_text() == SEED
    config().to_yaml(path, overwrite=True)
    assert ModelConfig.from_yaml(path).num_classes == 3
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_configuration_may_be_changed_and_is_checked_when_it_is_used(tmp_path: Path) -> None:
    said = config()
    said.num_classes = 4
    with pytest.raises(LUTError, match=r"multiple of num_classes, got 6 % 4 != 0"):
        said.check()
    with pytest.raises(LUTError, match="multiple of num_classes"):
        said.to_yaml(tmp_path / "network.yaml")
    assert not list(tmp_path.iterdir())


def test_a_copy_shares_nothing() -> None:
    said = config(runtime={"regularizers": {"l2": {"weight": 1.0}}})
    before = copy.deepcopy(said)
    other = said.copy(num_classes=2)
    other.layer_widths.append(4)
    other.runtime["regularizers"]["l2"]["weight"] = 2.0
    other.encoder_config["num_bits"] = 3
    assert said == before
    assert other.num_classes == 2


def test_settings_have_defaults_and_eval_modes_one_name() -> None:
    said = config(runtime={})
    assert said.setting("temperature") == 1.0
    assert said.setting("eval_mode") == "expectation"
    assert said.setting("regularizers") == {}
    for word in ("deterministic", "threshold", "hard"):
        assert config(runtime={"eval_mode": word}).setting("eval_mode") == "deterministic"


def test_a_default_cannot_be_changed_by_who_reads_it() -> None:
    config(runtime={}).setting("regularizers")["entropy"] = {"weight": 1.0}
    assert config(runtime={}).setting("regularizers") == {}


def test_counts_are_divided_by_the_root_of_the_group_unless_it_is_said() -> None:
    assert config().output_tau == math.sqrt(2)
    assert config(runtime={"output_tau": 3}).output_tau == 3.0


def test_the_digest_is_of_the_structure_alone() -> None:
    said = config()
    assert said.copy(runtime={"temperature": 2.0}, dataset="x", pretrained=True).sha256() == (
        said.sha256()
    )
    whole = {**SMALL["encoder_config"], "feature_wise": True}
    assert config(encoder_config=whole).sha256() == said.sha256()
    for change in ({"node_type": "dwn"}, {"layer_widths": [6]}, {"input_size": 8}):
        assert config(**change).sha256() != said.sha256()


def test_a_misspelt_field_is_no_field() -> None:
    found = config()
    with pytest.raises(LUTNameError, match=r"unknown field 'num_clases'. Did you mean 'num_cl"):
        found.num_clases = 5
    assert vars(found) == vars(config())


def test_a_value_that_yaml_cannot_hold_is_said_with_its_key(tmp_path: Path) -> None:
    strange = config(runtime={"init_fn": "normal", "init_params": {"std": object}})
    with pytest.raises(LUTError, match=r"runtime.init_params.std is <class 'object'>, which"):
        strange.to_yaml(tmp_path / "net.yaml")
    assert not list(tmp_path.iterdir())
