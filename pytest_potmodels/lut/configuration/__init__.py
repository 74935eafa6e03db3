"""What a LUT network is (its structure) and how it runs (its runtime values), and the YAML of both.

Nothing here imports a framework: a configuration can be read, checked and listed without PyTorch.
"""

from pytest_potmodels.lut.configuration.model_config import ModelConfig

__all__ = ["ModelConfig"]
