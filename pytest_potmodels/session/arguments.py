"""How a model is loaded, as marks, `pot_models` and `pot.load` take it; pytest is not needed."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pytest_potmodels.artifacts import ModelRequest
from pytest_potmodels.errors import UnknownNameError, UsageError

#: Of any model. A LUT network takes its runtime values, too: eval_mode="sampling".
ARGUMENTS = ("kind", "task", "auto_class", "dtype", "architecture", "variant")
#: Of models that are no LUT networks.
_OF_OTHERS = ("task", "auto_class", "dtype")


def with_runtime_values(
    what: str, request: ModelRequest, values: Mapping[str, Any]
) -> ModelRequest:
    """The request with runtime values in its options, checked as building the network would.

    Args:
        what: who says so, for messages: a marker.
        request: the model.
        values: keywords that are none of those that every model takes.

    Raises:
        UnknownNameError: a keyword that this model does not have, with close matches.
        UsageError: a structural key, a value that the key cannot have, or a head for a LUT network.
    """
    if request.kind != "lut":
        for key in values:
            known = f"known: {', '.join(ARGUMENTS)}"
            raise UnknownNameError(f"argument of {what}", key, ARGUMENTS, remedy=known)
        return request
    for key in _OF_OTHERS:
        if getattr(request.options, key) is not None:
            raise UsageError(f"{request.asked} is a LUT network, which takes no {key}.")
    if not values:
        return request
    from pytest_potmodels.loading.lut_files import check_values  # noqa: PLC0415 - reads YAML

    check_values(request.id, values)
    return replace(request, options=replace(request.options, runtime=_as_text(what, values)))


def _as_text(what: str, values: Mapping[str, Any]) -> str:
    """Values as text, which can be hashed and written down."""
    try:
        return json.dumps(dict(values), sort_keys=True)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{what}: {dict(values)!r} cannot be written as JSON: {error}.",
            remedy="use Python's own numbers, texts, lists and dicts",
        ) from error
