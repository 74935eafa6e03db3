"""A clean desk: no CI, no settings from outside, a cache of its own, and no way out."""

import os
from pathlib import Path

import pytest

from pytest_potmodels.loading import torchvision_guard
from pytest_potmodels.settings import ENDPOINT_VARIABLE, OFFLINE_VARIABLES
from pytest_potmodels.settings.environment import CI_VARIABLES

#: Nothing listens there, so a model that is not cached cannot be had.
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def desk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ours = [name for name in os.environ if name.startswith("POT_")]
    for name in (*ours, *CI_VARIABLES, *OFFLINE_VARIABLES, ENDPOINT_VARIABLE, "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("POT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_ENDPOINT", NOWHERE)
    monkeypatch.setenv("POT_MIRRORS", f"https://download.pytorch.org={NOWHERE}")


@pytest.fixture(autouse=True, scope="session")
def frameworks() -> None:
    """Import torch for good: an in-process run forgets its imports, and torch loads only once."""
    torchvision_guard.import_torchvision()
    transformers = torchvision_guard.import_transformers()
    assert all((transformers.BertModel, transformers.BertTokenizerFast))
