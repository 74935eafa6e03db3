"""Reading a lock file: what it may hold, and where a mistake is."""

import os
import re
from pathlib import Path

import pytest

from pytest_potmodels.errors import UsageError
from pytest_potmodels.lockfile.entries import LockedFile, LockedModel
from pytest_potmodels.lockfile.reading import read
from pytest_potmodels.lockfile.writing import as_text

GOOD = """\
# made by hand
version = 1

[[model]]
source = "huggingface"
id = "org/model"
names = ["mine", "org/model"]
ref = "main"
revision = "0123456789012345678901234567890123456789"
license = "apache-2.0"
gated = false
files = [
    { path = "config.json", size = 2, sha256 = "aa" },
    { path = "sub/model.safetensors", size = 3, sha256 = "bb", url = "https://host/file" },
]

[[model]]
source = "package"
id = "some_package/model"
revision = "1.0"
gated = true
files = []
""".replace('"aa"', f'"{"aa" * 32}"').replace('"bb"', f'"{"bb" * 32}"')


def written(folder: Path, text: str) -> Path:
    path = folder / "potmodels.lock"
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    hub, package = read(written(tmp_path, GOOD)).models
    assert (hub.id, hub.names, hub.ref) == ("org/model", ("mine", "org/model"), "main")
    assert [file.line for file in hub.files] == [13, 14]
    assert hub.files[1].url == "https://host/file"
    assert (package.license, package.gated, package.files) == ("unknown", True, ())
    assert (hub.line, package.line) == (4, 17)


AWKWARD = LockedModel(
    source="file",
    id='a "quoted" name\\with\tall é\x7f\u2028 \U0001f600',
    names=("n",),
    license="CC0\nand more",
    files=(LockedFile("a.bin", 1, "0" * 64, "https://h/a?b=c#d"), LockedFile("b", 0, "1" * 64)),
)


def test_a_round_trip_keeps_everything(tmp_path: Path) -> None:
    other = LockedModel(
        source="torchvision", id="resnet18", names=("b", "a"), aliases=("x",), ref="weights-1",
        revision="weights-1", architecture="resnet18", weights="https://host/w.pth", gated=True,
        files=(LockedFile("w.pth", 9, "2" * 64),),
    )  # fmt: skip
    lock = read(written(tmp_path, as_text([other, AWKWARD])))
    assert lock.models == (AWKWARD, other)
    assert as_text(lock.models) == as_text([AWKWARD, other])
    assert [file.line > 0 for file in lock.models[0].files] == [True, True]


def test_a_mark_and_line_ends_of_windows_are_read(tmp_path: Path) -> None:
    path = tmp_path / "potmodels.lock"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert [file.line for file in read(path).models[0].files] == [13, 14]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("version = 1", "version = 2", ":2: a lock of version 1 is expected, found 2"),
        ("version = 1", "version = 2\nnew = 3", ":2: a lock of version 1 is expected, found 2"),
        ("size = 2", f"size = {'9' * 5000}", "is no valid TOML"),
        ("version = 1", f"version = 1\nx = {'[' * 20_000}", "is no valid TOML"),
        ("version = 1", "version = true", ":2: a lock of version 1 is expected"),
        ("version = 1", "", ":1: a lock of version 1 is expected, found no version"),
        ("version = 1", "version = 1\nmodles = 1", ":3: unknown key 'modles'. Did you mean"),
        ("gated = false", "gatde = false", ":11: unknown key 'gatde'. Did you mean 'gated'"),
        ("gated = false\n", "", ":4: the model has no 'gated'"),
        ("gated = false", 'gated = "no"', ":11: gated is 'no', expected true or false"),
        ('["mine", "org/model"]', '"mine"', ":7: names is 'mine', expected a list"),
        ('["mine", "org/model"]', "[1]", ":7: names is 1, expected a text"),
        ('source = "huggingface"', 'source = "hugingface"', ":5: unknown source 'hugingface'"),
        ('source = "huggingface"', 'source = "mock"', ":5: unknown source 'mock'"),
        ('id = "org/model"', 'id = "../model"', ":6: '../model' is not a well-formed"),
        ('ref = "main"', 'ref = "../x"', "is not a well-formed revision"),
        ('path = "config.json", ', "", ":13: the file has no 'path'"),
        ("size = 2", 'size = "2"', ":13: size is '2', expected a whole number"),
        ("size = 2", "size = -2", ":13: size -2 is less than nothing"),
        ("size = 2", "size = true", ":13: size is True, expected a whole number"),
        ("aaaa", "AAAA", ":13: sha256 'AAAA"),
        ("aaaa", "aaa", "is not 64 hex digits in lower case"),
        ('"config.json"', '"/etc/passwd"', ":13: the path '/etc/passwd' does not stay"),
        ('"config.json"', '"../config.json"', "does not stay in the model's folder"),
        ('"config.json"', '"a/./b"', "does not stay in the model's folder"),
        ('"config.json"', r'"a\\b"', "does not stay in the model's folder"),
        ('"config.json"', '"C:/b"', "does not stay in the model's folder"),
        ('"config.json"', '""', "does not stay in the model's folder"),
        ('"config.json"', '"SUB/model.safetensors"', ":14: the file 'sub/model.safetensors'"),
        ('"config.json", ', '"config.json", mode = 1, ', ":13: unknown key 'mode'"),
        ("files = []", 'names = ["mine"]\nfiles = []', ":17: the name 'mine' is there twice"),
        ("files = []", "files = [3]", "file is 3, expected a table"),
        ('[[model]]\nsource = "package"', '[model2]\nsource = "package"', "unknown key 'model2'"),
        ("# made by hand", "<<<<<<< ours", ":1: a merge that is not finished"),
        ("version = 1", "version = ", "is no valid TOML"),
        ("version = 1", "version = 1\nmodel = 3", "is no valid TOML"),
    ],
)  # fmt: skip
def test_a_mistake_says_file_and_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    path = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(UsageError) as raised:
        read(path)
    assert said in str(raised.value)
    assert str(path) in str(raised.value)
    assert "To mend it" in str(raised.value)


def test_one_model_twice_is_an_error(tmp_path: Path) -> None:
    again = GOOD[GOOD.index("[[model]]") :].replace('names = ["mine", "org/model"]\n', "")
    path = written(tmp_path, GOOD + "\n" + again)
    with pytest.raises(UsageError, match=r":24: huggingface:org/model is there twice, first in"):
        read(path)


def test_a_lock_that_is_not_there_or_no_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no lock file that can be read"):
        read(tmp_path / "potmodels.lock")
    with pytest.raises(UsageError, match="no lock file that can be read"):
        read(tmp_path)
    path = tmp_path / "potmodels.lock"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="is no text"):
        read(path)
    with path.open("ab") as stream:
        stream.truncate(20_000_000)
    with pytest.raises(UsageError, match="more than 16777216 bytes"):
        read(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "potmodels.lock")
    with pytest.raises(UsageError, match="no plain file"):
        read(tmp_path / "potmodels.lock")


def test_nothing_that_upstream_wrote_hides_in_a_diff(tmp_path: Path) -> None:
    license_ = "a\u202eb\x1b[31m\x85\u2028\x7f\U000e0001é漢"
    text = as_text([LockedModel("huggingface", "org/m", license=license_)])
    (line,) = [line for line in text.split("\n") if line.startswith("license")]
    assert line.isprintable()
    assert "é漢" in line
    assert read(written(tmp_path, text)).models[0].license == license_


def test_the_text_is_one_fact_per_line_and_sorted() -> None:
    files = (LockedFile("b", 1, "0" * 64), LockedFile("a", 1, "1" * 64))
    models = [LockedModel("huggingface", name, files=files) for name in ("org/b", "org/a")]
    text = as_text(models)
    assert text == as_text(reversed(models))
    assert re.findall(r'^id = "(.*)"$', text, re.MULTILINE) == ["org/a", "org/b"]
    assert re.findall(r'^    \{ path = "(.)"', text, re.MULTILINE) == ["a", "b", "a", "b"]
    assert "\r" not in text
    assert text.endswith("]\n")
