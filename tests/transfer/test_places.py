from pathlib import Path, PurePosixPath

import pytest

from pytest_potmodels.errors import StoreError
from pytest_potmodels.transfer import places


@pytest.mark.parametrize("path", ["config.json", "onnx/model.onnx", "1_Pooling/config.json"])
def test_ordinary_names_lie_in_the_stage(tmp_path: Path, path: str) -> None:
    assert places.target(tmp_path, PurePosixPath(path)) == tmp_path / path


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "../x", "a/../../x", "a/..", "..", ""),
        *("C:/x", "C:x", "a\\..\\x", "a\0b", "a\nb", "x:stream", "what?", "x*"),
        *("nul", "NUL.txt", "sub/com1", "COM¹", "con.safetensors", "lpt9.x", "dot.", "space "),
    ],
)
def test_names_that_lead_out_or_mean_devices_are_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(StoreError, match="refused"):
        places.target(tmp_path, PurePosixPath(path))


def test_a_link_in_the_stage_does_not_lead_out(tmp_path: Path) -> None:
    stage = tmp_path / "stage"
    stage.mkdir()
    try:
        (stage / "sub").symlink_to(tmp_path)
    except OSError:
        pytest.skip("no symbolic links here")
    with pytest.raises(StoreError, match="through a link"):
        places.target(stage, PurePosixPath("sub/x"))


@pytest.mark.parametrize(("one", "other"), [("a", "A"), ("a", "a.part"), ("a/b", "A/B.PART")])
def test_two_files_for_one_place_are_refused(one: str, other: str) -> None:
    with pytest.raises(StoreError, match="the same place"):
        places.check_distinct([PurePosixPath(one), PurePosixPath(other)])


def test_different_files_pass() -> None:
    places.check_distinct([PurePosixPath("a/b"), PurePosixPath("a/c"), PurePosixPath("b")])
