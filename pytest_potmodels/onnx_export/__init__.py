"""PyTorch models as ONNX files: exported once per machine, and compared with the model first.

`exported` gives a file that has passed the gate, `find` one that is there already; `require` says
beforehand what lacks for either. Nothing here imports torch or onnx; the work is done in a process
of its own.
"""

from pytest_potmodels.onnx_export.exporting import exported, find, require
from pytest_potmodels.onnx_export.onnx_model import OnnxInput, OnnxModel, OutputError, Tried
from pytest_potmodels.onnx_export.recipes import Input, Recipe, register_recipe

__all__ = [
    "Input",
    "OnnxInput",
    "OnnxModel",
    "OutputError",
    "Recipe",
    "Tried",
    "exported",
    "find",
    "register_recipe",
    "require",
]
