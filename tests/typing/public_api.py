"""What a user's type checker sees; never run. An `ignore` that is not needed is an error, too."""

from pathlib import Path
from typing import Any, assert_type

import pytest_potmodels as pot


def calls() -> None:
    """What the functions take and give."""
    assert_type(pot.load("bert"), pot.LoadedModel)
    assert_type(pot.load("org/vit", kind="vision", dtype="float16", device="auto"), pot.LoadedModel)
    assert_type(pot.fetch("bert", again=True), pot.StoredModel)
    pot.assert_onnx_close(pot.load("bert"), pot.load("bert"), {}, rtol=1e-3)
    pot.assert_onnx_close(pot.load("bert"))  # type: ignore[call-arg]
    pot.load(3)  # type: ignore[arg-type]
    pot.load("org/vit", kind="visual")  # type: ignore[arg-type]
    pot.load("bert", tsk="fill-mask")  # type: ignore[call-arg]
    pot.fetch("bert", True)  # type: ignore[call-arg]  # noqa: FBT003 - the mistake itself
    pot.laod("bert")  # type: ignore[attr-defined]


def a_loaded_model(model: pot.LoadedModel) -> None:
    """A model is of any type; what is known of it is not."""
    assert_type(model.model, Any)
    assert_type(model.is_mock, bool)
    assert_type(model.memory_mb, float)
    assert_type(model.categories, tuple[str, ...])
    assert_type(model.path, Path | None)
    assert_type(str(model.id), str)
    model.source = "mock"  # type: ignore[misc]
    if model.source == "real":  # type: ignore[comparison-overlap]
        raise AssertionError


def errors(error: pot.UnavailableError) -> None:
    """Errors carry their reason and their remedy."""
    assert_type(error.reason, pot.Reason)
    assert_type(error.remedy, str)
    assert_type(error.exit_code, int)
    base: pot.PotModelsError = error
    assert_type(base.message, str)


def settings(settings: pot.Settings) -> None:
    """What `pytest_potmodels_configure` is given."""
    assert_type(settings.cache_dir, Path)
    settings.preset = "paper"  # type: ignore[misc]
