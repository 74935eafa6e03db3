"""How tables of 2^n entries are read for a whole batch; features first, batch last.

The address of a table entry is a = sum_j x_j 2^j: input 0 is the lowest bit.
"""

from pytest_potmodels.lut.kernels.addresses import corners, looked_up, packed
from pytest_potmodels.lut.kernels.extension import multilinear, walsh
from pytest_potmodels.lut.kernels.precision import full_precision

__all__ = ["corners", "full_precision", "looked_up", "multilinear", "packed", "walsh"]
