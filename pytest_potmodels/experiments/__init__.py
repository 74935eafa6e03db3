"""Experiments that give the same bits again: a plan, a model, seeds, and a record of it all.

A face over MinimalModelSetup. PyTorch is imported when the first model is loaded, not before.
"""

from pytest_potmodels.experiments.comparison import Comparison, Difference, compare
from pytest_potmodels.experiments.configuration import ExperimentConfig
from pytest_potmodels.experiments.context import ExperimentContext
from pytest_potmodels.experiments.determinism import derived_seed
from pytest_potmodels.experiments.result_files import Listed, list_results, read_result
from pytest_potmodels.experiments.results import ExperimentResult
from pytest_potmodels.experiments.runner import ReproducibleExperimentRunner
from pytest_potmodels.experiments.user_file import FileExperiment

__all__ = [
    "Comparison",
    "Difference",
    "ExperimentConfig",
    "ExperimentContext",
    "ExperimentResult",
    "FileExperiment",
    "Listed",
    "ReproducibleExperimentRunner",
    "compare",
    "derived_seed",
    "list_results",
    "read_result",
]
