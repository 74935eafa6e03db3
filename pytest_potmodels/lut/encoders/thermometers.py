"""Thermometer codes: thresholds in ascending order, so that a larger number has more ones."""

import math

import torch

from pytest_potmodels.lut.encoders.base import Encoder


class Thermometer(Encoder):
    """Thresholds at equal distances: min + (k + 1) (max - min) / (b + 1)."""

    def thresholds_of(self, columns: torch.Tensor) -> torch.Tensor:
        """By the least and the greatest value."""
        low, high = columns.amin(0)[:, None], columns.amax(0)[:, None]
        return low + _shares(columns, self.num_bits) * (high - low)


class GaussianThermometer(Encoder):
    """Thresholds at equal shares of a normal distribution: mean + std * quantile."""

    def thresholds_of(self, columns: torch.Tensor) -> torch.Tensor:
        """By the mean and the deviation of the sample (with N - 1; 0 for a single value)."""
        mean = columns.mean(0)[:, None]
        std = columns.std(0, correction=min(1, len(columns) - 1))[:, None]
        quantiles = math.sqrt(2) * torch.erfinv(2 * _shares(columns, self.num_bits) - 1)
        return mean + quantiles * std


class DistributiveThermometer(Encoder):
    """Thresholds that are values of the data, so that each bit parts them into equal shares."""

    def thresholds_of(self, columns: torch.Tensor) -> torch.Tensor:
        """By rank: the value at floor(N (k + 1) / (b + 1)) of the sorted ones."""
        parts = self.num_bits + 1
        ranks = torch.tensor([len(columns) * k // parts for k in range(1, parts)])
        return columns.sort(0).values[ranks].T


def _shares(like: torch.Tensor, bits: int) -> torch.Tensor:
    """(k + 1) / (b + 1) of all bits."""
    return torch.arange(1, bits + 1, dtype=like.dtype, device=like.device) / (bits + 1)
