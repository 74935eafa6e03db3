"""What the YAML of a LUT network says: its configuration, and the digests of its other files."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pytest_potmodels.artifacts import LoadOptions, StoredModel
from pytest_potmodels.errors import LUTDigestError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.lut import pretrained_files
from pytest_potmodels.lut.configuration import ModelConfig
from pytest_potmodels.lut.configuration import overrides as runtime

#: Of the file of weights: the length of its header, which is JSON.
_LENGTH_BYTES = 8
#: Scores, thresholds and mappings of a module are float32 and int32, however a file has them.
_BYTES = 4


@dataclass(frozen=True, eq=False)
class LutFiles:
    """A stored network before anything is computed."""

    #: With the runtime values of whoever asked for it.
    config: ModelConfig
    #: What the YAML says beside the configuration: metrics, training, data.
    facts: Mapping[str, Any]
    yaml: Path
    weights: Path
    hardened: Path | None

    @cached_property
    def memory(self) -> int:
        """Bytes of the module's parameters and buffers; nothing but the header is read."""
        try:
            with self.weights.open("rb") as file:
                header = json.loads(file.read(int.from_bytes(file.read(_LENGTH_BYTES), "little")))
            shapes = [each["shape"] for name, each in header.items() if name != "__metadata__"]
            return sum(_BYTES * math.prod(shape) for shape in shapes)
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError, MemoryError):
            return self.weights.stat().st_size  # A `.pth`; or the loader will say what is wrong.


def of_stored(stored: StoredModel, options: LoadOptions) -> LutFiles:
    """The files of a stored network, each the one that its YAML names.

    Raises:
        LUTDigestError: one is another.
        LUTError: the YAML cannot be meant, or a runtime value.
    """
    (yaml,) = (stored.path / file.path for file in stored.files if file.path.endswith(".yaml"))
    document = ModelConfig.read_document(yaml)
    found = pretrained_files.beside(yaml)
    sha256 = {file.path: file.sha256 for file in stored.files}
    for key in ("weights", "hardened"):
        named = document.named_file(key)
        if named is not None and named[0].name in sha256:
            _check(stored, named[0], named[1], sha256[named[0].name])
    config = with_values(ModelConfig.from_document(document), options)
    assert found.weights is not None  # noqa: S101 - the source refuses a network without
    return LutFiles(config, document.extras, yaml, found.weights, found.hardened)


def with_values(config: ModelConfig, options: LoadOptions) -> ModelConfig:
    """The configuration with the runtime values of the options; draws have a seed in any case."""
    values = json.loads(options.runtime) if options.runtime else {}
    chosen = runtime.overridden(config, values)
    if chosen.setting("seed") is None:
        chosen = runtime.overridden(chosen, {"seed": options.seed})
    return chosen


def check_values(model_id: ModelId, values: Mapping[str, Any]) -> None:
    """Accept runtime values for a network, by its YAML alone.

    Raises:
        LUTError: a structural key, or a value that a key cannot have.
        LUTNameError: an unknown key, with close matches; or there is no such network.
    """
    if model_id.source == "mock":
        config = stand_in()
    else:
        config = ModelConfig.from_yaml(pretrained_files.find(model_id.name).config)
    runtime.overridden(config, values)


def stand_in() -> ModelConfig:
    """The configuration of a stand-in: the shape of digits_small."""
    return ModelConfig(
        model_type="feedforward",
        layer_type="random",
        node_type="probabilistic",
        encoder_config={"name": "thermometer", "num_bits": 4, "feature_wise": True},
        node_input_dim=6,
        layer_widths=[500],
        num_classes=10,
        input_size=64,
    )


def size_of(config: ModelConfig) -> int:
    """Bytes of the parameters and buffers of a stand-in's module."""
    thresholds = (config.input_size or 0) * int(config.encoder_config["num_bits"])
    entries = config.node_input_dim + 2**config.node_input_dim
    size: int = _BYTES * (thresholds + sum(config.layer_widths) * entries)
    return size


def _check(stored: StoredModel, file: Path, expected: str, found: str) -> None:
    if found != expected:
        raise LUTDigestError(
            f"{stored.id}: {file} is not the file that its YAML names (sha256 {found}, expected "
            f"{expected}).",
            expected=expected,
            found=found,
            remedy="restore the file, or train again",
        )
