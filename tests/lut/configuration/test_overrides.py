import copy
import inspect
import math

import pytest
from lut_networks import config

from pytest_potmodels.errors import LUTError, LUTNameError
from pytest_potmodels.lut.configuration.overrides import overridden
from pytest_potmodels.lut.configuration.runtime import REGULARIZER_PARAMETERS, RUNTIME
from pytest_potmodels.lut.registry import BUILT_IN, REGISTRY


def test_values_are_replaced_and_mappings_are_merged() -> None:
    said = config(
        runtime={"temperature": 2.0, "regularizers": {"l1": {"weight": 1.0}, "l2": {"weight": 2}}}
    )
    found = overridden(
        said,
        {"eval_mode": "sampling", "regularizers": {"l2": {"weight": 3}, "entropy": {"weight": 4}}},
    )
    assert found.runtime == {
        "temperature": 2.0,
        "eval_mode": "sampling",
        "regularizers": {"l1": {"weight": 1.0}, "l2": {"weight": 3}, "entropy": {"weight": 4}},
    }
    assert overridden(said, None) == said


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"layer_widths": [9]}, r"layer_widths is structural: fixed by the weights of 'x' \(\[12,"),
        ({"temprature": 1}, "unknown key 'temprature'. Did you mean 'temperature'"),
        ({"temperature": -1}, "temperature must be a finite number > 0, got -1"),
        ({"temperature": 0}, "temperature must be a finite number > 0, got 0"),
        ({"temperature": math.nan}, "temperature must be a finite number > 0, got nan"),
        ({"temperature": math.inf}, "temperature must be a finite number > 0, got inf"),
        ({"temperature": True}, "temperature must be a finite number > 0, got True"),
        ({"temperature": 1e-300}, r"temperature must be from 1e-30 to 1e\+30.*float32, got 1e-300"),
        ({"grad_epsilon": 1e-40}, "grad_epsilon must be from 1e-30"),
        ({"output_tau": 10**40}, "output_tau must be from 1e-30"),
        ({"temperature": "1"}, "temperature must be a finite number > 0, got '1'"),
        ({"eval_mode": "hardd"}, "one of expectation, deterministic, sampling, got 'hardd'"),
        ({"eval_mode": ["hard"]}, "eval_mode must be one of"),
        ({"flip_probability": 1.5}, r"flip_probability must be a number in \[0, 1\], got 1.5"),
        ({"flip_probability": math.nan}, r"in \[0, 1\], got nan"),
        ({"flip_where": "output"}, "flip_where must be one of input, all_layers, got 'output'"),
        ({"dropout": 1}, r"dropout must be a number in \[0, 1\), got 1"),
        ({"num_samples": 0}, "num_samples must be a whole number of at least 1, got 0"),
        ({"seed": -1}, "seed must be a whole number .*, got -1"),
        ({"grad_stabilization": "all"}, "grad_stabilization must be one of none, layerwise"),
        ({"grad_subtract_mean": 1}, "grad_subtract_mean must be true or false, got 1"),
        ({"output_tau": 0}, "output_tau must be a finite number > 0, or none, got 0"),
        ({"regularizers": ["l1"]}, "regularizers must be a mapping"),
        ({"regularizers": {"entropi": {"weight": 1}}}, "unknown regularizer 'entropi'.*'entropy'"),
        ({"regularizers": {"entropy": 1}}, "entropy is 1, expected a mapping with its weight"),
        ({"regularizers": {"entropy": {"p": 1}}}, "expected a mapping with its weight"),
        ({"regularizers": {"entropy": {"weight": -1}}}, r"entropy.weight must be a finite .* -1"),
        (
            {"regularizers": {"functional": {"weight": 1, "q": 2}}},
            r"unknown key of the regularizer functional 'q'(.|\n)*keys: weight, p",
        ),
        (
            {"regularizers": {"functional": {"weight": 1, "p": 0.5}}},
            "functional.p must be a finite number of at least 1, got 0.5",
        ),
        ({"init_fn": "xavier"}, "unknown init_fn 'xavier'. Did you mean"),
        ("temperature", "overrides must be a mapping of runtime keys, got 'temperature'"),
    ],
)
def test_one_bad_value_and_nothing_changes(overrides: object, said: str) -> None:
    fixed = config(pretrained=True, pretrained_name="x", runtime={"temperature": 2.0})
    before = copy.deepcopy(fixed)
    both = {"num_samples": 3, **overrides} if isinstance(overrides, dict) else overrides
    with pytest.raises(LUTError, match=said) as error:
        overridden(fixed, both)  # type: ignore[arg-type]
    assert fixed == before
    if "unknown key" in said:
        assert isinstance(error.value, LUTNameError)


@pytest.mark.parametrize("name", BUILT_IN["regularizer"])
def test_our_regularizers_take_what_the_configuration_lets_through(name: str) -> None:
    taken = list(inspect.signature(REGISTRY.get_regularizer(name)).parameters)
    assert taken[1:] == list(REGULARIZER_PARAMETERS.get(name, {}))


def test_a_network_without_weights_does_not_speak_of_weights() -> None:
    with pytest.raises(LUTError, match=r"structural: fixed by the network \(3\)"):
        overridden(config(), {"num_classes": 2})


@pytest.mark.parametrize("key", RUNTIME)
def test_every_default_is_a_value_that_may_be_written(key: str) -> None:
    assert overridden(config(), {key: RUNTIME[key].default}).setting(key) == RUNTIME[key].default
    assert RUNTIME[key].text
