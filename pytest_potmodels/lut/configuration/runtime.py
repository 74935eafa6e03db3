"""The runtime keys: what may change without new weights, with defaults and what each may be."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_potmodels.errors import LUTError, LUTNameError
from pytest_potmodels.lut.configuration.registered import check_name, is_ours
from pytest_potmodels.lut.configuration.rules import (
    PROBABILITY,
    SWITCH,
    TABLE,
    TEXT,
    Rule,
    Where,
    check,
    nowhere,
    number,
    one_of,
    optional,
    whole,
)

#: Other words for an eval mode.
EVAL_MODE_ALIASES: Mapping[str, str] = {"threshold": "deterministic", "hard": "deterministic"}
_POSITIVE = number("a finite number > 0", lambda value: value > 0)
#: Networks compute in float32: what is 0 or infinite there makes NaN of everything.
_LEAST, _MOST = 1e-30, 1e30
_IN_FLOAT32 = Rule(
    f"from {_LEAST:g} to {_MOST:g}, because networks compute in float32",
    lambda value: value is None or _LEAST <= value <= _MOST,
)
_POSITIVE_OR_NONE = optional(_POSITIVE)
_POSITIVE_RULES = (_POSITIVE, _POSITIVE_OR_NONE)
#: |0|^p has an infinite slope for a lower power.
_POWER = number("a finite number of at least 1", lambda value: 1 <= value <= _MOST)
_WEIGHT = number("a finite number of at least 0", lambda value: 0 <= value <= _MOST)
#: What our regularizers take beside their weight; one of the user's own may take anything.
REGULARIZER_PARAMETERS: Mapping[str, Mapping[str, Rule]] = {"functional": {"p": _POWER}}


@dataclass(frozen=True)
class RuntimeKey:
    """One key: the value where none is written, and what a written one may be."""

    default: Any
    rule: Rule
    text: str


#: None as the default of `output_tau` and `init_fn`: the network's and the node's own.
RUNTIME: Mapping[str, RuntimeKey] = {
    "temperature": RuntimeKey(
        1.0, _POSITIVE, "divides what the sigmoid takes; hard predictions do not depend on it"
    ),
    "eval_mode": RuntimeKey(
        "expectation",
        one_of("expectation", "deterministic", "sampling", also=tuple(EVAL_MODE_ALIASES)),
        "how a network in eval mode runs: on probabilities, on bits, or on bits drawn from them",
    ),
    "num_samples": RuntimeKey(1, whole(1), "how many draws `sampling` takes the mean of"),
    "seed": RuntimeKey(
        None, optional(whole(0, 2**63 - 1)), "of the draws, of flips, of new mappings and weights"
    ),
    "flip_probability": RuntimeKey(
        0.0, PROBABILITY, "how likely each bit is turned round, in training and eval"
    ),
    "flip_where": RuntimeKey("input", one_of("input", "all_layers"), "which bits are turned round"),
    "dropout": RuntimeKey(
        0.0,
        number("a number in [0, 1)", lambda value: 0 <= value < 1),
        "how likely an input of a layer is replaced by 0.5, in training",
    ),
    "grad_stabilization": RuntimeKey(
        "none",
        one_of("none", "layerwise", "batchwise"),
        "whether a layer's gradients are rescaled, over all elements or per sample",
    ),
    "grad_target_std": RuntimeKey(1.0, _POSITIVE, "the standard deviation they are scaled to"),
    "grad_subtract_mean": RuntimeKey(
        default=False, rule=SWITCH, text="whether their mean is taken off"
    ),
    "grad_epsilon": RuntimeKey(1e-8, _POSITIVE, "added to their mean square"),
    "gradient_scale": RuntimeKey(1.0, _POSITIVE, "a constant factor, of dwn_stable only"),
    "output_tau": RuntimeKey(
        None, _POSITIVE_OR_NONE, "divides the counts of the classes; none: sqrt(width / classes)"
    ),
    "regularizers": RuntimeKey({}, TABLE, "name: {weight: W, ...}; their sum is the loss"),
    "init_fn": RuntimeKey(None, optional(TEXT), "how new weights are drawn"),
    "init_params": RuntimeKey({}, TABLE, "what the init_fn takes"),
}


def check_runtime(values: Any, where: Where = nowhere) -> None:
    """Accept runtime values; absent keys are no errors.

    Raises:
        LUTError: a value that a key cannot have.
        LUTNameError: an unknown key, regularizer or init_fn; with close matches.
    """
    check(TABLE, "runtime", values, where)
    for key, value in values.items():
        if key not in RUNTIME:
            raise LUTNameError(
                "key",
                key,
                RUNTIME,
                where=where(key).removesuffix(": "),
                remedy=f"runtime keys: {', '.join(RUNTIME)}",
            )
        check(RUNTIME[key].rule, key, value, where)
        if RUNTIME[key].rule in _POSITIVE_RULES:
            check(_IN_FLOAT32, key, value, where)
    _check_regularizers(values.get("regularizers", {}), where)
    if values.get("init_fn") is not None:
        check_name("initializer", "init_fn", values["init_fn"], where)
    elif values.get("init_params"):
        raise LUTError(
            f"{where('init_params')}init_params {dict(values['init_params'])!r} are for an "
            "init_fn, and there is none.",
            remedy="init_fn: normal, ...",
        )


def _check_regularizers(regularizers: Mapping[str, Any], where: Where) -> None:
    for name, values in regularizers.items():
        check_name("regularizer", "regularizer", name, where)
        if not isinstance(values, Mapping) or "weight" not in values:
            raise LUTError(
                f"{where('regularizers')}regularizers: {name} is {values!r}, expected a mapping "
                "with its weight.",
                remedy=f"{name}: {{weight: 0.001}}",
            )
        known = {"weight": _WEIGHT, **REGULARIZER_PARAMETERS.get(name, {})}
        for key, value in values.items():
            if key in known:
                check(known[key], f"regularizers.{name}.{key}", value, where)
            elif is_ours("regularizer", name):
                raise LUTNameError(
                    f"key of the regularizer {name}",
                    str(key),
                    known,
                    where=where("regularizers").removesuffix(": "),
                    remedy=f"keys: {', '.join(known)}",
                )
