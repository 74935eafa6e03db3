"""The LUTs of one layer: what they learn, how they are read, and the bits that they become."""

from pytest_potmodels.lut.nodes.base import Initializer, Node, Reader

__all__ = ["Initializer", "Node", "Reader"]
