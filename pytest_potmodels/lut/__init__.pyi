from pytest_potmodels.lut.base_model import BaseLUTModel
from pytest_potmodels.lut.configuration.model_config import ModelConfig
from pytest_potmodels.lut.convnet import ConvNet
from pytest_potmodels.lut.factory import build_model, load_pretrained
from pytest_potmodels.lut.feedforward import SimpleFeedForward
from pytest_potmodels.lut.hardened import (
    HardenedNetwork,
    Heldout,
    harden,
    load_hardened,
    load_heldout,
)
from pytest_potmodels.lut.matching import copy_matching_weights
from pytest_potmodels.lut.pretrained_files import list_pretrained_models
from pytest_potmodels.lut.pretrained_info import get_pretrained_model_info
from pytest_potmodels.lut.registry import REGISTRY

__all__ = [
    "REGISTRY",
    "BaseLUTModel",
    "ConvNet",
    "HardenedNetwork",
    "Heldout",
    "ModelConfig",
    "SimpleFeedForward",
    "build_model",
    "copy_matching_weights",
    "get_pretrained_model_info",
    "harden",
    "list_pretrained_models",
    "load_hardened",
    "load_heldout",
    "load_pretrained",
]
