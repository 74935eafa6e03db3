"""Files of trained values: plain tensors, checked before anything is taken, written whole."""

from pytest_potmodels.lut.weights.models import load, save, save_config

__all__ = ["load", "save", "save_config"]
