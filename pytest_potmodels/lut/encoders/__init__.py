"""Encoders: numbers as bits, by thresholds that are fitted to training data."""

from pytest_potmodels.lut.encoders.base import Encoder

__all__ = ["Encoder"]
