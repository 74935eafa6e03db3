import json
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.verification import ModelFileVerifier, Wanted
from pytest_potmodels.verification.lists import read_batch, read_names


def written(folder: Path, said: Any) -> Path:
    path = folder / "batch.json"
    path.write_text(said if isinstance(said, str) else json.dumps(said), encoding="utf-8")
    return path


def test_a_batch_names_models_files_and_types(tmp_path: Path) -> None:
    said = [
        {"model_id": "a/b", "file_path": "onnx/x.onnx", "model_type": "bert"},
        {"model_id": "c"},
    ]
    assert read_batch(written(tmp_path, said)) == [
        Wanted("a/b", "onnx/x.onnx", "bert"),
        Wanted("c", "model.onnx", None),
    ]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("[{]", "is no JSON"),
        ("", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ({"model_id": "a/b"}, "holds no list, but dict"),
        ([], "names no model"),
        (["bert"], "batch.json: model 1: 'bert' is no object"),
        ([{"model_id": "a/b"}, {"file_path": "model.onnx"}], "model 2: there is no model_id"),
        ([{"model_id": 7}], "model_id = 7 is no text"),
        ([{"model_id": ["a"]}], "is no text"),
        ([{"model_id": "a", "model_type": {}}], "model_type = {} is no text"),
        ([{"model_id": ""}], "model_id = '' is no text"),
        ([{"model_id": "a", "file_path": "../../etc/passwd.onnx"}], "no path of an ONNX file"),
        ([{"model_id": "a", "file_path": "/abs/model.onnx"}], "no path of an ONNX file"),
        ([{"model_id": "a", "file_path": "model.bin"}], "no path of an ONNX file"),
        ([{"model_id": "a", "file_path": "a:b.onnx"}], "no path of an ONNX file"),
    ],
    ids=range(15),
)
def test_a_hostile_batch_is_refused_with_its_place(tmp_path: Path, said: Any, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_batch(written(tmp_path, said))
    assert told in caught.value.message


def test_an_unknown_key_or_type_is_told_with_what_is_like_it(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="'file_path'"):
        read_batch(written(tmp_path, [{"model_id": "a", "filepath": "x.onnx"}]))
    with pytest.raises(UnknownNameError, match="'whisper'"):
        read_batch(written(tmp_path, [{"model_id": "a", "model_type": "wisper"}]))


def test_a_batch_that_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_batch(tmp_path / "absent.json")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="is no text"):
        read_batch(tmp_path / "binary")


def test_names_are_one_a_line(tmp_path: Path) -> None:
    path = tmp_path / "models.txt"
    path.write_bytes(b"\xef\xbb\xbf# mine\r\nbert-base-uncased\r\n\r\n t5-small  # small\n")
    assert read_names(path) == ["bert-base-uncased", "t5-small"]


@pytest.mark.parametrize("text", ["", "# nothing\n", "two names\n"])
def test_a_list_without_names_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "models.txt"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"names no model|is no name"):
        read_names(path)


@pytest.mark.parametrize("models", ["bert", {"model_id": "bert"}, 7, None])
def test_a_batch_in_a_program_is_a_list(verifier: ModelFileVerifier, models: Any) -> None:
    with pytest.raises(UsageError, match="is no list of models"):
        verifier.batch_verify_models(models)


def test_nothing_begins_where_one_of_a_batch_cannot_be_meant(verifier: ModelFileVerifier) -> None:
    told: list[Any] = []
    with pytest.raises(UsageError, match="model 2"):
        verifier.batch_verify_models([{"model_id": "org/large"}, {}], on_result=told.append)
    assert told == []
