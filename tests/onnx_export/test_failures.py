"""What failed is remembered by its key: for how long, for whom, and what has it tried again."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from onnx_export.asking import open_cache, request

from pytest_potmodels import onnx_export
from pytest_potmodels.errors import ModelConversionError, ModelUnsupportedError
from pytest_potmodels.onnx_export import Input, Recipe, register_recipe
from pytest_potmodels.onnx_export.failures import Failures, forget_all
from pytest_potmodels.onnx_export.ladder import Limits
from pytest_potmodels.store.derived import DerivedStore
from pytest_potmodels.store.layout import Layout

FAR = ModelConversionError("m is off", tried=["dynamo: off by 3"], remedy="report it")
NEVER = ModelUnsupportedError("m cannot be exported", tried=["dynamo: no"])

Make = Callable[..., Failures]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Failures of a key under some limits, of a store whose second folder is elsewhere."""
    store = DerivedStore(Layout.at(tmp_path / "cache"), second=tmp_path / "second")

    def failures(
        key: str = "onnx-1", version: str = "2", seconds: float = 60.0, memory: int = 100
    ) -> Failures:
        return Failures(store, key, {"torch": version}, Limits(seconds, memory))

    return failures


def record(tmp_path: Path) -> Path:
    (file,) = tmp_path.glob("**/failed-exports/*.json")
    return file


def age(file: Path, hours: float) -> None:
    said = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps({**said, "at": said["at"] - 3600 * hours}), encoding="utf-8")


def test_the_next_hears_what_it_was_and_where_it_is_written(make: Make, tmp_path: Path) -> None:
    make().check()
    make().remember(FAR)
    with pytest.raises(ModelConversionError, match="m is off\n  This was found just now") as caught:
        make().check()
    assert caught.value.tried == FAR.tried
    assert caught.value.remedy == f"report it; to try again now, delete {record(tmp_path)}"
    make().forget()
    make().check()


def test_what_nothing_can_export_stays_a_reason_to_skip(make: Make) -> None:
    make().remember(NEVER)
    with pytest.raises(ModelUnsupportedError) as caught:
        make(seconds=9000, memory=9000).check()
    assert caught.value.reason == "not-exportable"


@pytest.mark.parametrize(
    "other",
    [{"key": "onnx-2"}, {"version": "3"}, {"seconds": 61.0}, {"memory": 101}],
    ids=["key", "version", "time", "memory"],
)
def test_another_key_version_or_wider_limit_is_tried(make: Make, other: dict[str, Any]) -> None:
    make().remember(FAR)
    make(**other).check()
    with pytest.raises(ModelConversionError):
        make(seconds=59.0).check()


def test_it_is_not_believed_for_ever(make: Make, tmp_path: Path) -> None:
    make().remember(FAR)
    age(record(tmp_path), 0.9)
    with pytest.raises(ModelConversionError, match="found 54 minutes ago"):
        make().check()
    age(record(tmp_path), 0.2)
    make().check()
    make().remember(NEVER)
    age(record(tmp_path), 23)
    with pytest.raises(ModelUnsupportedError, match="found 23 hours ago"):
        make().check()
    age(record(tmp_path), 2)
    make().check()


def test_old_records_of_others_go_when_one_is_written(make: Make, tmp_path: Path) -> None:
    make("onnx-old").remember(FAR)
    os.utime(record(tmp_path), (0, time.time() - 2 * 24 * 3600))
    make().remember(FAR)
    assert record(tmp_path).name == "onnx-1.json"


def test_who_clears_the_cache_begins_anew(make: Make, tmp_path: Path) -> None:
    make().remember(FAR)
    make("onnx-2").remember(NEVER)
    forget_all(make().derived)
    make().check()
    make("onnx-2").check()


def test_a_record_that_makes_no_sense_is_none(make: Make, tmp_path: Path) -> None:
    make().remember(FAR)
    for text in ("", "[]", "{}", '{"kind": "other", "at": 0}', '{"kind": "conversion", "at": "x"}'):
        record(tmp_path).write_text(text, encoding="utf-8")
        make().check()


def test_beside_a_cache_that_takes_no_files_it_is_kept_elsewhere(
    make: Make, tmp_path: Path
) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / ".pot").write_text("in the way", encoding="utf-8")
    make().remember(FAR)
    assert record(tmp_path).is_relative_to(tmp_path / "second")
    with pytest.raises(ModelConversionError):
        make().check()


@pytest.mark.slow
def test_a_second_try_starts_no_child_and_force_does(cache: Path, own_recipes: None) -> None:
    register_recipe(Recipe("mine", (Input("pixels", ("batch", 3)),), classes=("MockVision*",)))
    pipeline, lines = open_cache(cache), list[str]()
    for force, starts in ((False, 1), (False, 1), (True, 2)):
        with pytest.raises(ModelUnsupportedError, match="'mine' feeds pixels"):
            onnx_export.exported(
                pipeline, request("mock:vision"), on_line=lines.append, force=force
            )
        assert lines.count("importing torch and onnx") == starts
