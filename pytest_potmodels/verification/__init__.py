"""Model files that are there before they are needed: from the hub, or converted from PyTorch.

A face over the pipeline and the export: cache, locks, retries, digests and the gate are theirs.
"""

from pytest_potmodels.verification.detection import Detected, detect
from pytest_potmodels.verification.metadata import ModelMetadata
from pytest_potmodels.verification.outcome import Problem, Verification
from pytest_potmodels.verification.verifier import ModelFileVerifier
from pytest_potmodels.verification.wanted import Wanted

__all__ = [
    "Detected",
    "ModelFileVerifier",
    "ModelMetadata",
    "Problem",
    "Verification",
    "Wanted",
    "detect",
]
