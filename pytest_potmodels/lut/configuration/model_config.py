"""ModelConfig: a LUT network as a person writes it down, in Python or in YAML."""

import copy
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_potmodels.errors import LUTNameError
from pytest_potmodels.lut.configuration.plain import as_plain
from pytest_potmodels.lut.configuration.rules import (
    SWITCH,
    TEXT,
    Where,
    check,
    nowhere,
    optional,
)
from pytest_potmodels.lut.configuration.runtime import EVAL_MODE_ALIASES, RUNTIME, check_runtime
from pytest_potmodels.lut.configuration.structural import (
    STRUCTURAL,
    check_structure,
    structure_of,
)

if TYPE_CHECKING:
    from pytest_potmodels.lut.configuration.documents import Document


@dataclass
class ModelConfig:
    """One network; may be changed until a model is built of it, and is checked then.

    Structural fields belong to the weights; `runtime` holds what may change without new ones.

    Attributes:
        model_type: "feedforward", "convnet", or a registered name.
        layer_type: how a layer picks its inputs: "random", "learnable", "arange", ...
        node_type: what a look-up table is while it trains: "probabilistic", "dwn", ...
        encoder_config: `name`, `num_bits` and `feature_wise` of the encoder.
        node_input_dim: inputs of a table, 1 to 12; it has 2 to that power entries.
        layer_widths: tables per layer; a convnet's: channels per stage.
        num_classes: into how many groups the last layer's outputs are counted.
        runtime: runtime keys with their values; see `RUNTIME`.
        pretrained: whether there are weights that belong to it.
        pretrained_name: under which name.
        input_size: features of a sample; none until the encoder is fitted.
        dataset: what the weights were trained on.
        conv_input_shape: channels, height and width of a convnet's images.
        conv_kernel_size: side of the patch that a convnet's tables look at.
        conv_stride: steps between patches.
        conv_padding: zeros around the image.
        conv_tree_depth: tables between a patch and its output.
        conv_pooling: "average" or "or", over the positions of the last stage.
    """

    model_type: str
    layer_type: str
    node_type: str
    encoder_config: dict[str, Any]
    node_input_dim: int
    layer_widths: list[int]
    num_classes: int
    runtime: dict[str, Any] = field(default_factory=dict)
    pretrained: bool = False
    pretrained_name: str | None = None
    input_size: int | None = None
    dataset: str | None = None
    conv_input_shape: list[int] | None = None
    conv_kernel_size: int = 5
    conv_stride: int = 1
    conv_padding: int = 0
    conv_tree_depth: int = 2
    conv_pooling: str = "average"

    def __post_init__(self) -> None:
        self.check()

    def __setattr__(self, name: str, value: Any) -> None:
        known = self.__dataclass_fields__
        if name not in known:  # Else an attribute that nobody reads.
            raise LUTNameError("field", name, known, remedy=f"fields: {', '.join(known)}")
        super().__setattr__(name, value)

    @classmethod
    def from_yaml(cls, path: str | Path) -> "ModelConfig":
        """Read a YAML file.

        Raises:
            LUTError: no such file, not valid, or a key or value that cannot be meant; with file
                and line.
        """
        return cls.from_document(cls.read_document(path))

    @classmethod
    def read_document(cls, path: str | Path) -> "Document":
        """Read a YAML file with what it says of weights, metrics and training, not yet checked.

        Raises:
            LUTError: like `from_yaml`, except for values of fields.
        """
        from pytest_potmodels.lut.configuration import documents  # noqa: PLC0415 - imports yaml

        every = fields(cls)
        required = [f.name for f in every if f.default is f.default_factory is MISSING]
        return documents.read(Path(path), tuple(f.name for f in every), tuple(required))

    @classmethod
    def from_document(cls, document: "Document") -> "ModelConfig":
        """The configuration in a file that was read.

        Raises:
            LUTError: a value that cannot be meant; with file and line.
        """
        config = cls.__new__(cls)  # `check` is to say the line, and not to run twice.
        for each in fields(cls):
            default = each.default if each.default_factory is MISSING else each.default_factory()
            setattr(config, each.name, copy.deepcopy(document.values.get(each.name, default)))
        config.check(document.where)
        return config

    def to_yaml(
        self, path: str | Path, *, extras: Mapping[str, Any] | None = None, overwrite: bool = False
    ) -> None:
        """Write a YAML file that `from_yaml` reads; `extras` are the keys beside the fields.

        Raises:
            LUTError: the file is there, and `overwrite` is not said.
        """
        from pytest_potmodels.lut.configuration import documents  # noqa: PLC0415 - imports yaml

        self.check()
        documents.write(Path(path), self.as_plain(), as_plain(extras or {}), overwrite=overwrite)

    def check(self, where: Where = nowhere) -> None:
        """Accept the values as they are now.

        Raises:
            LUTError: one cannot be meant, or does not go with another.
        """
        check_structure(self._values(), where)
        check_runtime(self.runtime, where)
        check(SWITCH, "pretrained", self.pretrained, where)
        for key in ("pretrained_name", "dataset"):
            check(optional(TEXT), key, getattr(self, key), where)

    def setting(self, key: str) -> Any:
        """The runtime value of a key, or its default; an eval mode under its first name.

        Raises:
            KeyError: there is no such runtime key.
            LUTError: a value that it cannot have.
        """
        if key in self.runtime:
            value = self.runtime[key]
            check(RUNTIME[key].rule, key, value)  # It may have been changed since.
        else:
            value = copy.copy(RUNTIME[key].default)
        return EVAL_MODE_ALIASES.get(value, value) if key == "eval_mode" else value

    @property
    def output_tau(self) -> float:
        """What the counts of the classes are divided by: `output_tau`, or sqrt(width / classes)."""
        said = self.setting("output_tau")
        return math.sqrt(self.layer_widths[-1] / self.num_classes) if said is None else float(said)

    def structure(self) -> dict[str, Any]:
        """The structural values that have a meaning here, in JSON's types, defaults filled in."""
        return {k: as_plain(value, k) for k, value in structure_of(self._values()).items()}

    def sha256(self) -> str:
        """The sha256 of the structure: one for all configurations that fit the same weights."""
        text = json.dumps(self.structure(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def copy(self, **changes: Any) -> "ModelConfig":
        """Another one that shares nothing with this one, with some fields changed."""
        return type(self)(**{**copy.deepcopy(self._values()), **changes})

    def as_plain(self) -> dict[str, Any]:
        """The values that have a meaning here, in JSON's types: the structure, then the rest."""
        rest = {key: value for key, value in self._values().items() if key not in STRUCTURAL}
        values = {**structure_of(self._values()), "dataset": None, **rest}
        return {key: as_plain(value, key) for key, value in values.items() if value is not None}

    def _values(self) -> Mapping[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)}
