"""Loaded models by a name of one's own: load once, predict, let go.

A face over the downloader and its pipeline; its own is only what it keeps in memory.
"""

from pytest_potmodels.model_manager.manager import ModelManager, get_model_manager

__all__ = ["ModelManager", "get_model_manager"]
