"""Hardened LUT networks: circuits of bits, saved in a few kilobytes and run by numpy alone.

from pytest_potmodels.lut import load_hardened

network = load_hardened("digits_small")     # imports no torch
counts = network(images)                    # exact integers: tests compare them with ==
"""

from pytest_potmodels.lut.hardened.hardening import harden
from pytest_potmodels.lut.hardened.heldout import Heldout, load_heldout
from pytest_potmodels.lut.hardened.layer import HardenedLayer
from pytest_potmodels.lut.hardened.network import HardenedNetwork
from pytest_potmodels.lut.hardened.opening import load_hardened

__all__ = [
    "HardenedLayer",
    "HardenedNetwork",
    "Heldout",
    "harden",
    "load_hardened",
    "load_heldout",
]
