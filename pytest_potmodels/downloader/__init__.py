"""Models into a folder by name, with the list of what is there; nothing is loaded here.

A face over the pipeline: cache, locks, retries and digests are the pipeline's.
"""

from pytest_potmodels.downloader.getters import (
    auto_download_model,
    download_multiple_models,
    download_preset_models,
    ensure_model_available,
    get_model_downloader,
)
from pytest_potmodels.downloader.info import Downloaded, ModelInfo
from pytest_potmodels.downloader.model_downloader import ModelDownloader

__all__ = [
    "Downloaded",
    "ModelDownloader",
    "ModelInfo",
    "auto_download_model",
    "download_multiple_models",
    "download_preset_models",
    "ensure_model_available",
    "get_model_downloader",
]
