"""The sessions of one process: one for each model, made by one thread while others go on."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from loading.graphs import dense, sample
from onnx_export.asking import open_cache, request

from pytest_potmodels.loading import onnx_files, onnx_optimised
from pytest_potmodels.onnx_export import Input, Recipe, register_recipe
from pytest_potmodels.onnx_export.recipes import forget_recipes
from pytest_potmodels.session.onnx_form import OnnxForms
from pytest_potmodels.store.layout import Layout
from pytest_potmodels.store.locks import held

if TYPE_CHECKING:
    from pytest_potmodels.artifacts import LoadedModel

#: 9 MB of weights: a second form of the file is made.
WIDTH = 1500


@pytest.fixture
def forms(tmp_path: Path) -> OnnxForms:
    return OnnxForms(open_cache(tmp_path / "cache"))


def test_threads_that_ask_for_one_model_get_one_session(forms: OnnxForms, tmp_path: Path) -> None:
    wanted = request(f"file:{dense(tmp_path / 'm').parent}")
    got: list[LoadedModel] = []
    threads = [threading.Thread(target=lambda: got.append(forms.obtain(wanted))) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len({id(each) for each in got}) == 4
    assert len({id(each.model) for each in got}) == 1
    answers = [each(sample()).y for each in got]
    assert all(np.array_equal(answers[0], each) for each in answers)


def test_who_waits_for_one_model_does_not_keep_others_from_another(
    forms: OnnxForms, tmp_path: Path
) -> None:
    slow = request(f"file:{dense(tmp_path / 'slow', width=WIDTH).parent}")
    quick = request(f"file:{dense(tmp_path / 'quick').parent}")
    stored = open_cache(tmp_path / "cache").acquire(slow)
    key = onnx_optimised.key_of(onnx_files.of_stored(stored))
    layout = Layout.at(tmp_path / "cache")
    layout.prepare()
    waiting = threading.Thread(target=lambda: forms.obtain(slow), daemon=True)
    with held(layout.lock(f"derived-{key}@files"), timeout=5):
        waiting.start()
        while not forms._making:
            time.sleep(0.01)
        assert forms.obtain(quick)(sample()).y.shape == (3, 8)
        assert waiting.is_alive()
    waiting.join(timeout=60)
    assert not waiting.is_alive()


@pytest.fixture
def own_recipes() -> Iterator[None]:
    """What a test registers is forgotten."""
    yield
    forget_recipes()


@pytest.mark.usefixtures("own_recipes")
def test_a_recipe_that_comes_later_asks_anew(forms: OnnxForms, tmp_path: Path) -> None:
    wanted = request(f"file:{dense(tmp_path / 'm').parent}")
    before = forms.obtain(wanted).model
    assert forms.obtain(wanted).model is before
    register_recipe(Recipe("mine", (Input("x", ("batch", 8)),), classes=("*",)))
    assert forms.obtain(wanted).model is not before
