import json
import os
from pathlib import Path

import pytest

from pytest_potmodels.store import plain_json


@pytest.fixture
def document(tmp_path: Path) -> Path:
    return tmp_path / "document.json"


def test_a_document_is_read(document: Path) -> None:
    document.write_text('{"é": [1, null, true]}', encoding="utf-8")
    assert plain_json.load(document) == {"é": [1, None, True]}


@pytest.mark.parametrize("text", ["NaN", "[-Infinity]", "1" * 5000, "{", ""])
def test_what_is_no_json_or_no_finite_number_is_an_error(document: Path, text: str) -> None:
    document.write_text(text)
    with pytest.raises(ValueError, match=r"\w"):
        plain_json.load(document)


def test_a_document_that_would_fill_the_memory_is_not_read(document: Path) -> None:
    document.write_text("1")
    os.truncate(document, plain_json.LARGEST + 1)
    with pytest.raises(ValueError, match="more than"):
        plain_json.load(document)
    with pytest.raises(FileNotFoundError):
        plain_json.load(document.with_name("absent"))


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes and links")
@pytest.mark.parametrize("what", ["pipe", "folder", "link", "device"])
def test_what_is_no_plain_file_is_not_read(document: Path, what: str) -> None:
    match what:
        case "pipe":
            os.mkfifo(document)
        case "folder":
            document.mkdir()
        case "link":
            document.with_name("real").write_text("{}")
            document.symlink_to("real")
        case "device":
            document.symlink_to("/dev/zero")
    with pytest.raises(ValueError, match=r"no plain file|symbolic link"):
        plain_json.load(document)


@pytest.mark.parametrize(("kind", "value"), [(int, True), (str, None), (dict, []), (float, 1)])
def test_types_are_exact(kind: type, value: object) -> None:
    with pytest.raises(TypeError, match=f"expected {kind.__name__}"):
        plain_json.typed(kind, value)


def test_files_are_read_as_they_are_written() -> None:
    listed = [{"path": "a/b", "size": 1, "sha256": "0" * 64, "url": "https://hub.test"}]
    files = plain_json.files(json.loads(json.dumps(listed)))
    assert plain_json.files_as_json(files) == listed
