"""How each file of an entry came, beside the manifest and not in it."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.artifacts import StoredFile
from pytest_potmodels.store import provenance
from pytest_potmodels.store.layout import Layout

NAME = "huggingface:org/model"


def test_an_admission_is_on_record_and_goes_with_the_entry(shelf: Any) -> None:
    before = time.time()
    stored = shelf.admit(NAME)
    found = provenance.read(shelf.layout, stored.path.name)
    assert {path: each.how for path, each in found.items()} == {
        "config.json": "downloaded",
        "model.safetensors": "downloaded",
    }
    assert all(before <= each.at <= time.time() for each in found.values())
    assert "came" not in (stored.path / "model_info.json").read_text()
    shelf.store.remove(stored)
    assert provenance.read(shelf.layout, stored.path.name) == {}


def test_a_mended_file_has_a_time_of_its_own(shelf: Any, flip_byte: Any) -> None:
    stored = shelf.admit(NAME)
    first = provenance.read(shelf.layout, stored.path.name)
    flip_byte(stored.path / "model.safetensors")
    assert shelf.mend(stored) == ["model.safetensors"]
    second = provenance.read(shelf.layout, stored.path.name)
    assert second["config.json"] == first["config.json"]
    assert second["model.safetensors"].at > first["model.safetensors"].at


def test_what_is_said_of_a_file_is_kept(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path)
    file = StoredFile("f", 1, "0" * 64, came="adopted from /somewhere")
    provenance.record(layout, "entry", [file])
    assert provenance.read(layout, "entry")["f"].how == "adopted from /somewhere"


@pytest.mark.parametrize(
    "text",
    [
        *("{", "[]", json.dumps({"f": 1}), json.dumps({"f": ["how", "when"]})),
        *(json.dumps({"f": each}) for each in ([], ["how", 1e300], ["how", -1.0])),
    ],
)
def test_a_record_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    layout = Layout.at(tmp_path)
    layout.came("entry").parent.mkdir(parents=True)
    layout.came("entry").write_text(text)
    assert provenance.read(layout, "entry") == {}
