"""What every encoder can do: compare each feature with thresholds of its own."""

import logging
from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import nn

from pytest_potmodels.errors import LUTError

_log = logging.getLogger(__name__)


class Encoder(nn.Module, ABC):
    """Bits x > threshold, `num_bits` of them per feature; strictly greater.

    The thresholds are a buffer of their final shape from the start, NaN until they are fitted or
    loaded, so that weights fit a model that has never seen data. A kind of its own gives
    `thresholds_of`.

    Args:
        input_size: F, the features of a sample.
        num_bits: thresholds per feature.
        feature_wise: whether each feature has its own; else one row serves all.
    """

    thresholds: torch.Tensor
    fitted: torch.Tensor

    def __init__(self, input_size: int, *, num_bits: int, feature_wise: bool = True) -> None:
        super().__init__()
        self.input_size = input_size
        self.num_bits = num_bits
        self.feature_wise = feature_wise
        rows = input_size if feature_wise else 1
        self.register_buffer("thresholds", torch.full((rows, num_bits), torch.nan))
        self.register_buffer("fitted", torch.tensor(False))  # noqa: FBT003 - a value, no option.
        self.register_load_state_dict_post_hook(_take_loaded)  # type: ignore[no-untyped-call]

    @property
    def output_size(self) -> int:
        """The bits of one sample."""
        return self.input_size * self.num_bits

    @abstractmethod
    def thresholds_of(self, columns: torch.Tensor) -> torch.Tensor:
        """The thresholds (F, b) of training data (N, F), float64."""

    def fit(self, data: torch.Tensor) -> None:
        """Set the thresholds by training data (N, F), finite."""
        columns = data.detach().to(torch.float64)
        if not self.feature_wise:
            columns = columns.reshape(-1, 1)
        self.thresholds.copy_(self.thresholds_of(columns))
        self.fitted.fill_(True)  # noqa: FBT003 - as above.
        if constant := int((columns.amin(0) == columns.amax(0)).sum()):
            _log.warning(
                "%d of %d features are constant in the data that the encoder was fitted to: "
                "all of their thresholds are that value.",
                *(constant, columns.shape[1]),
            )

    def encode(self, inputs: torch.Tensor) -> torch.Tensor:
        """Samples (N, F) -> bits (N, F * b), float32 0 and 1, the bits of a feature together.

        Raises:
            LUTError: there are no thresholds yet.
        """
        return self.bits(inputs).T.to(torch.float32)

    def bits(self, inputs: torch.Tensor) -> torch.Tensor:
        """The same with the batch last, as bool: (N, F) -> (F * b, N)."""
        if not self.fitted:
            remedy = "call model.fit_encoder(train_x), or load weights"
            raise LUTError("the encoder is not fitted: it has no thresholds yet", remedy=remedy)
        above = inputs.T[:, None, :] > self.thresholds[:, :, None]
        return above.reshape(self.output_size, len(inputs))

    def extra_repr(self) -> str:
        """What `print` shows."""
        state = "fitted" if self.fitted else "not fitted"
        own = "" if self.feature_wise else ", one row of thresholds for all"
        return f"{self.input_size} features, {self.num_bits} bits each{own}, {state}"


def _take_loaded(encoder: nn.Module, keys: Any) -> None:
    """Thresholds that were loaded are fitted ones; files hold no flag of their own."""
    if isinstance(encoder, Encoder):
        encoder.fitted.fill_(not bool(encoder.thresholds.isnan().any()))
        keys.missing_keys[:] = [key for key in keys.missing_keys if key != _flag(keys)]


def _flag(keys: Any) -> str | None:
    flags = (key for key in keys.missing_keys if key.rpartition(".")[2] == "fitted")
    return next(flags, None)
