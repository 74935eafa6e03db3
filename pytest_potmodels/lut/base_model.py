"""BaseLUTModel: what all LUT networks do, whatever their layers look like."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut import inputs, regularizers, weights
from pytest_potmodels.lut.building import generator_of, new_encoder
from pytest_potmodels.lut.configuration import ModelConfig
from pytest_potmodels.lut.configuration.overrides import overridden
from pytest_potmodels.lut.encoders import Encoder
from pytest_potmodels.lut.gradients import Stabilization
from pytest_potmodels.lut.group_sum import GroupSum
from pytest_potmodels.lut.kernels import full_precision
from pytest_potmodels.lut.layers import Layer
from pytest_potmodels.lut.nodes import Node
from pytest_potmodels.lut.noise import flipped
from pytest_potmodels.lut.running import MODES, Pass

#: Samples that go through all layers together in eval: what they take does not grow with N.
_PART = 4096


class BaseLUTModel(nn.Module, ABC):
    """A LUT network: an encoder, layers of LUTs, and the last outputs counted by class.

    A kind of its own gives `build` and `outputs`. The configuration is copied: what a model
    changes in its own is seen by nobody else.

    Args:
        config: what to build. With `input_size` all tensors exist at once; without it they are
            made when the encoder is fitted.

    Raises:
        LUTError: a value that cannot be meant.
    """

    encoder: Encoder | None
    layers: nn.ModuleList
    group_sum: GroupSum

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        config.check()
        self.config = config.copy()
        self.encoder = None
        self.group_sum = GroupSum(config.num_classes, self._tau())
        self.layers = nn.ModuleList()
        self._generator = generator_of(config)
        self.register_load_state_dict_pre_hook(_refuse_unbuilt)  # type: ignore[no-untyped-call]
        if config.input_size is not None:
            self._build_all(config.input_size)

    @property
    def pooled(self) -> int:
        """How many outputs of the last layer stand for one of `layer_widths`."""
        return 1

    @abstractmethod
    def build(self, features: int) -> None:
        """Make the layers for so many encoded bits."""

    @abstractmethod
    def outputs(self, bits: torch.Tensor, run: Pass) -> torch.Tensor:
        """All layers: encoded bits (F b, N) -> outputs of the last (W, N)."""

    def exact_counts(self, rows: torch.Tensor) -> torch.Tensor:
        """How many outputs of each class are 1, on bits: samples (N, F) -> int32 (N, C)."""
        encoder, run = self._fitted(), Pass(mode="hard")
        parts = (encoder.bits(part).to(torch.uint8) for part in torch.split(rows, _PART))
        return torch.cat([self.group_sum.counts(self.outputs(bits, run)) for bits in parts])

    def fit_encoder(self, data: torch.Tensor, *, refit: bool = False) -> None:
        """Set the thresholds by training data (N, F).

        Raises:
            LUTError: they are set already, and `refit` is not said; or the data is empty, of
                another width, or not finite.
        """
        if self.encoder is not None and self.encoder.fitted and not refit:
            raise LUTError(
                "the encoder is fitted already, and its thresholds belong to the weights",
                remedy="fit_encoder(data, refit=True) discards them",
            )
        rows = inputs.fitting(data, self.config.input_size)
        if self.encoder is None:
            self._build_all(rows.shape[1])
        self._fitted(must_be=False).fit(rows)

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        """The bits that the first layer sees: (N, F) -> (N, F b), float32 0 and 1.

        Raises:
            LUTError: the encoder is not fitted, or `x` does not fit.
        """
        inputs.refuse_tracing()
        encoder = self._fitted()
        return encoder.encode(inputs.samples(x, encoder.input_size))

    def forward(self, x: torch.Tensor, *, eval_mode: str | None = None) -> torch.Tensor:
        """The logits (N, num_classes) of samples (N, F).

        In training the LUTs are smooth; in eval they run as the runtime key `eval_mode` says.

        Args:
            x: samples; integers and further axes are welcome.
            eval_mode: overrides the configuration for this call, in training, too.

        Raises:
            LUTError: the encoder is not fitted, `x` does not fit, or torch is tracing.
        """
        inputs.refuse_tracing()
        rows = inputs.samples(x, self._fitted().input_size)
        run = self._pass(eval_mode)
        if not len(rows):
            return rows.new_zeros(0, self.config.num_classes)
        with full_precision(rows):
            if run.mode == "hard" and not run.flip:
                return self.group_sum.logits(self.exact_counts(rows))
            if run.training:
                return self._logits(rows, run)
            return torch.cat([self._logits(part, run) for part in torch.split(rows, _PART)])

    def get_regularization_loss(self) -> torch.Tensor:
        """What the runtime key `regularizers` adds to a loss: 0-dimensional, exactly 0 if nothing.

        Raises:
            LUTError: a parameter that a regularizer does not take.
        """
        temperature = self.config.setting("temperature")
        tables = (node.probabilities(temperature) for node in self.nodes())
        nothing = torch.zeros((), dtype=self._dtype(), device=self._device())
        with full_precision(nothing):
            found = regularizers.loss(tables, self.config.setting("regularizers"))
        return nothing if found is None else found

    def apply_runtime_overrides(self, overrides: Mapping[str, Any]) -> None:
        """Change runtime values, all or none; mappings are merged. A seed starts the noise afresh.

        Raises:
            LUTError: a structural or unknown key, or a value that a key cannot have.
        """
        before, self.config = self.config, overridden(self.config, overrides)
        try:
            self._configure_nodes()
        except BaseException:  # A node of the user's own refuses the value.
            self.config = before
            self._configure_nodes()
            raise
        self.group_sum.tau = self._tau()
        if overrides and "seed" in overrides:
            self._generator = generator_of(self.config)

    def get_config(self) -> ModelConfig:
        """A copy of the configuration, with the `input_size` that was found."""
        return self.config.copy()

    def save_config(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the configuration as YAML, with the digest of weights of that name beside it.

        Raises:
            LUTError: the file is there, and `overwrite` is not said.
        """
        weights.save_config(self, Path(path), overwrite=overwrite)

    def save_weights(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the weights as safetensors, or as plain tensors to a `.pth`.

        Raises:
            LUTError: the encoder is not fitted, or the file is there and `overwrite` is not said.
        """
        self._fitted()
        weights.save(self, Path(path), overwrite=overwrite)

    def load_weights(self, path: str | Path) -> None:
        """Read weights; a file that does not fit leaves the model as it was.

        Raises:
            LUTError: no such file, or one of another network.
        """
        weights.load(self, Path(path))

    def nodes(self) -> Iterator[Node]:
        """The LUTs of all layers."""
        return (module for module in self.modules() if isinstance(module, Node))

    def clamp(self) -> None:
        """Bring parameters back into their range; after each step of an optimiser."""
        for node in self.nodes():
            node.clamp()

    def freeze(self) -> None:
        """End the learning of connections."""
        for module in self.modules():
            if isinstance(module, Layer):
                module.freeze()

    def extra_repr(self) -> str:
        """What `print` shows: how it runs, and what repeats its noise."""
        setting = self.config.setting
        draws = f", {setting('num_samples')} samples" if setting("eval_mode") == "sampling" else ""
        return f"eval_mode={setting('eval_mode')}{draws}, seed={setting('seed')}"

    def _tau(self) -> float:
        return self.config.output_tau * self.pooled

    def _build_all(self, input_size: int) -> None:
        self.config = self.config.copy(input_size=input_size)
        encoder = new_encoder(self.config, input_size)
        self.encoder = encoder
        self.build(encoder.output_size)
        self._configure_nodes()

    def _configure_nodes(self) -> None:
        for node in self.nodes():
            node.configure(self.config.setting)

    def _fitted(self, *, must_be: bool = True) -> Encoder:
        encoder = self.encoder
        if encoder is None or (must_be and not encoder.fitted):
            raise LUTError(
                "the encoder is not fitted: it has no thresholds yet",
                remedy="call model.fit_encoder(train_x), or load weights",
            )
        return encoder

    def _pass(self, eval_mode: str | None) -> Pass:
        setting = self.config.setting
        if eval_mode is not None:
            setting = overridden(self.config, {"eval_mode": eval_mode}).setting
        training = self.training and eval_mode is None
        return Pass(
            mode="soft" if training else MODES[setting("eval_mode")],
            temperature=setting("temperature"),
            flip=setting("flip_probability"),
            flip_everywhere=setting("flip_where") == "all_layers",
            dropout=setting("dropout"),
            generator=self._generator,
            training=training,
            stabilization=self._stabilization(),
        )

    def _stabilization(self) -> Stabilization:
        setting = self.config.setting
        return Stabilization(
            over=setting("grad_stabilization"),
            target=setting("grad_target_std"),
            subtract_mean=setting("grad_subtract_mean"),
            epsilon=setting("grad_epsilon"),
        )

    def _logits(self, rows: torch.Tensor, run: Pass) -> torch.Tensor:
        bits = self._fitted().bits(rows).to(self._dtype() if run.mode == "soft" else torch.uint8)
        times = self.config.setting("num_samples") if run.mode == "sample" else 1
        logits = self._once(bits, run)
        for _ in range(times - 1):
            logits = logits + self._once(bits, run)
        return logits / times

    def _once(self, bits: torch.Tensor, run: Pass) -> torch.Tensor:
        if not run.flip_everywhere:
            bits = flipped(bits, run.flip, run.generator)
        return self.group_sum.logits(self.group_sum.counts(self.outputs(bits, run)))

    def _dtype(self) -> torch.dtype:
        return next((each.dtype for each in self.parameters()), torch.float32)

    def _device(self) -> torch.device:
        return next((each.device for each in self.parameters()), torch.device("cpu"))


def _refuse_unbuilt(model: nn.Module, state: Mapping[str, Any], prefix: str, *_rest: Any) -> None:
    """Say why a state fits nothing, where torch would list all of its keys as unexpected."""
    unbuilt = isinstance(model, BaseLUTModel) and model.encoder is None
    if unbuilt and any(key.startswith(prefix) for key in state):
        raise LUTError(
            "the network has no tensors yet, because its input size is not known",
            remedy="set input_size in the configuration, or call fit_encoder",
        )
