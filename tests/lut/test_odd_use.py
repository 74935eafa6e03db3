"""What users do by mistake: an error of ours that says so, not one from within torch."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lut_networks import config, fitted, samples

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut import (
    REGISTRY,
    build_model,
    copy_matching_weights,
    get_pretrained_model_info,
    harden,
    load_hardened,
    load_heldout,
)
from pytest_potmodels.lut.nodes.probabilistic import ProbabilisticNode


def built(runtime: dict[str, Any]) -> object:
    return build_model(config(input_size=8, runtime=runtime))


STD = {"init_fn": "normal", "init_params": {"std": -1}}
VARIANCE = {"init_fn": "variance_stabilized", "init_params": {"variance": -1}}
ACTS: list[tuple[Callable[[], object], str]] = [
    (lambda: built(STD), r"init_fn normal cannot take init_params \{'std': -1\}: normal expects"),
    (lambda: built(VARIANCE), "init_fn variance_stabilized cannot take .* math domain error"),
    (lambda: built({"init_params": {"std": 1}}), r"init_params \{'std': 1\} are for an init_fn"),
    (lambda: config(layer_widths=[10**12, 6]), r"layer_widths .* would take 32000 GB"),
    (lambda: config(input_size=10**12), r"input_size 1000000000000 would take 8000 GB"),
    (lambda: build_model(Path()), "'.' is no name of a network and no YAML file"),
    (lambda: build_model(""), "'' is no name of a network and no YAML file"),
    (lambda: load_hardened(None), "loaded by a name or a path, got NoneType"),  # type: ignore[arg-type]
    (lambda: get_pretrained_model_info(3), "found by a name, got int"),  # type: ignore[arg-type]
    (lambda: load_heldout(3), "unknown data set '3'"),  # type: ignore[arg-type]
    (lambda: copy_matching_weights(fitted(), None), "the target is a NoneType, expected a LUT"),  # type: ignore[arg-type]
    (lambda: fitted()(samples().to_sparse()), "x is a sparse or nested tensor"),
    (lambda: fitted().save_weights(Path()), "ends in nothing; weights end in .safetensors"),
    (lambda: fitted().save_config("net.json"), "net.json ends in .json; configurations end in"),
    (lambda: fitted().save_config("net.safetensors"), "configurations end in .yaml or .yml"),
    (lambda: harden(fitted()).save("net.bin"), "net.bin does not end in .safetensors"),
]


@pytest.mark.parametrize(("act", "said"), ACTS)
def test_it_is_said_and_nothing_is_written(
    act: Callable[[], object], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LUTError, match=said):
        act()
    assert not list(tmp_path.iterdir())


def test_no_overrides_change_nothing() -> None:
    model = fitted()
    before = copy.deepcopy(model.config)
    model.apply_runtime_overrides({})
    model.apply_runtime_overrides(None)  # type: ignore[arg-type]
    assert model.config == before


def test_a_compiled_network_is_hardened_like_the_one_inside() -> None:
    model = fitted()
    assert harden(torch.compile(model, backend="eager")).digest == harden(model).digest


def test_a_value_that_was_changed_behind_the_back_is_found_when_it_is_used() -> None:
    for key, value in (("eval_mode", "hardd"), ("temperature", -1), ("dropout", 2)):
        model = fitted()
        model.config.runtime[key] = value
        with pytest.raises(LUTError, match=f"{key} must be "):
            model(samples())


class Picky(ProbabilisticNode):
    """Takes no temperature of 3."""

    def configure(self, setting: Callable[[str], Any]) -> None:
        if setting("temperature") == 3:
            raise RuntimeError("not 3")


def test_a_node_that_refuses_a_value_leaves_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(REGISTRY, "_added", copy.deepcopy(REGISTRY._added))
    REGISTRY.register_node("picky")(Picky)
    model = fitted(node_type="picky")
    before, answers = copy.deepcopy(model.config), model(samples())
    with pytest.raises(RuntimeError, match="not 3"):
        model.apply_runtime_overrides({"output_tau": 9.0, "temperature": 3})
    assert model.config == before
    assert torch.equal(model(samples()), answers)
