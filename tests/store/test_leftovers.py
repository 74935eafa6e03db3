import os
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


def test_what_another_process_has_discarded_is_no_trouble(shelf: Any) -> None:
    for each in left(shelf.layout):
        shelf.store.discard(each)
        shelf.store.discard(each)


@pytest.mark.skipif(os.name == "nt", reason="links take a right of their own there")
def test_what_a_link_leads_to_is_not_left_over(shelf: Any, tmp_path: Path) -> None:
    (tmp_path / "home" / "precious").mkdir(parents=True)
    shelf.layout.prepare()
    for place in (shelf.layout.partial, shelf.layout.quarantine):
        place.symlink_to(tmp_path / "home")
    assert leftovers(shelf.layout) == []
