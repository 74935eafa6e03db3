from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.errors import StoreError
from pytest_potmodels.store.layout import Layout
from pytest_potmodels.store.leftovers import discard, files_of, leftovers
from pytest_potmodels.store.locks import held


def left(layout: Layout) -> tuple[Path, Path]:
    stage, aside = layout.partial / "huggingface_org--model@0123", layout.quarantine / "bad-1"
    for folder in (stage, aside):
        folder.mkdir(parents=True)
        (folder / "f").write_bytes(b"x")
        (folder / "f").chmod(0o444)
    return stage, aside


def test_stages_and_what_was_set_aside_are_leftovers_and_can_be_discarded(shelf: Any) -> None:
    assert leftovers(shelf.layout) == []
    assert leftovers(shelf.layout) == [] != list(left(shelf.layout))
    for each in leftovers(shelf.layout):
        discard(each, shelf.layout)
    assert leftovers(shelf.layout) == []


def test_a_stage_that_is_worked_on_stays(shelf: Any) -> None:
    stage, aside = left(shelf.layout)
    lock = shelf.layout.lock(files_of("huggingface_org--model"))
    with held(lock, timeout=5), pytest.raises(StoreError, match="held by process"):
        discard(stage, shelf.layout)
    assert leftovers(shelf.layout) == [stage, aside]
