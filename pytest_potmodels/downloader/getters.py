"""Functions for those who need no downloader of their own: they share one per process."""

from collections.abc import Iterable

from pytest_potmodels.downloader.info import Downloaded
from pytest_potmodels.downloader.model_downloader import Model, ModelDownloader
from pytest_potmodels.settings.latest import Latest

_LATEST = Latest(ModelDownloader)


def get_model_downloader() -> ModelDownloader:
    """The downloader of this process; another one once the settings have changed.

    Environment, folder and configuration are read at each call.

    Raises:
        UsageError: an option, variable or configuration file that cannot be meant.
    """
    return _LATEST.get()


def auto_download_model(
    identifier: str, model_name: str | None = None, *, force: bool = False
) -> Model:
    """Have a model on disk; see `ModelDownloader.auto_download_model`."""
    return get_model_downloader().auto_download_model(identifier, model_name, force=force)


def ensure_model_available(identifier: str) -> Model:
    """Have a model on disk, fetched only where it is not there."""
    return get_model_downloader().ensure_model_available(identifier)


def download_multiple_models(
    identifiers: Iterable[str], *, force: bool = False
) -> dict[str, Downloaded]:
    """Have several models on disk; how it went with each."""
    return get_model_downloader().download_multiple_models(identifiers, force=force)


def download_preset_models(preset: str, *, force: bool = False) -> dict[str, Downloaded]:
    """Have the models of a collection (basic, vision, nlp, all) or preset on disk."""
    return get_model_downloader().download_preset_models(preset, force=force)
