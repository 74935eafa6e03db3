"""The `pot_models` fixture: models by name, in wider scopes and in the body of a test."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_potmodels.artifacts import LoadedModel
from pytest_potmodels.errors import UsageError
from pytest_potmodels.session.markers import ModelMark, said_in
from pytest_potmodels.session.requests import Wish, form_of, named, wish_named
from pytest_potmodels.session.state import Build, ModelSession

if TYPE_CHECKING:
    from pytest_potmodels.loading.onnx_session import LoadedOnnx


class PotModels:
    """Models by name.

    Each method takes the keywords of the `pot_model` marker: kind, task, auto_class, dtype,
    architecture; `onnx` also variant; for a LUT network its runtime values.
    """

    def __init__(
        self, session: ModelSession, current_item: Callable[[], pytest.Item | None]
    ) -> None:
        self._session = session
        self._current_item = current_item

    def load(self, name: str, *, build: Build | None = None, **how: Any) -> LoadedModel:
        """A pristine model at each call.

        With `build`, `.model` is what `build(folder)` makes of the model's files, for example
        `lambda folder: SentenceTransformer(str(folder))`.

        Raises:
            UsageError: a name or argument that cannot be meant.
        """
        wish = self._wish(name, how)
        if build is None:
            return self._session.obtain(self._current_item(), wish)
        return self._session.build(self._current_item(), wish, build)

    def shared(self, name: str, **how: Any) -> LoadedModel:
        """One object for all callers in this process; whoever changes it changes it for all."""
        return self._session.shared(self._current_item(), self._wish(name, how))

    def onnx(self, name: str, **how: Any) -> "LoadedOnnx":
        """The model as ONNX, called with tensors or arrays; tests of a process share the session.

        `variant="int8"` has the matrix products of a transformers model in eight bits.

        Raises:
            UsageError: a name or argument that cannot be meant.
        """
        model = self._session.obtain(self._current_item(), self._wish(name, how, "onnx"))
        return cast("LoadedOnnx", model)

    def path(self, name: str, **how: Any) -> Path:
        """The folder of the model's files, fetched and verified; never a mock."""
        return self._session.path(self._current_item(), self._wish(name, how))

    def _wish(self, name: str, how: dict[str, Any], form: str = "") -> Wish:
        own, rest = said_in("pot_models", how)
        catalog, variant = self._session.pipeline.catalog, own.get("variant")
        request = named(ModelMark("pot_models", name, overrides=rest, **own), catalog)
        if variant and not form:
            raise UsageError(
                f"variant={variant!r} is a form of ONNX.",
                remedy=f'pot_models.onnx("{request.asked}", variant="{variant}")',
            )
        return wish_named(self._current_item(), request, catalog, form_of(variant) if form else "")
