"""What is to be done, as one hash: two runs of one plan on one machine give the same bits."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from pytest_potmodels.experiments.models import ModelPin

#: Words for people and places: no figure depends on them.
LABELS = ("experiment_name", "output_dir", "description", "tags")


def plan_hash(config: Mapping[str, Any], models: Iterable[ModelPin], *, threads: int) -> str:
    """The sha256 over the configuration without its labels, torch's threads and the models."""
    acting = {key: value for key, value in config.items() if key not in LABELS}
    pins = {pin.kind: pin.identity() for pin in models}
    return sha256_of({"config": {**acting, "threads": threads}, "models": pins})


def sha256_of(value: Any) -> str:
    """The sha256 over a value of JSON, however it is laid out."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
