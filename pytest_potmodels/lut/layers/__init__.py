"""Layers: which outputs of the layer before each LUT looks at, and the LUTs."""

from pytest_potmodels.lut.layers.base import Layer

__all__ = ["Layer"]
