"""Names that are one file on every system, and sets of them that can lie side by side."""

import pytest

from pytest_potmodels.file_names import clash, path_trouble, trouble


@pytest.mark.parametrize("name", ["a.py", ".hidden", "a b", "\u00fc", "common.py", "a" * 255])
def test_a_good_name_is_no_trouble(name: str) -> None:
    assert trouble(name) == ""


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("con", "a device"), ("NUL.txt", "a device"), ("com1.tar.gz", "a device"),
        ("a:b", "on Windows"), ("a\\b", "on Windows"), ("what?", "on Windows"),
        ("a.", "on Windows"), ("a ", "on Windows"), ("a\n", "on Windows"),
        ("\udcff", "no text"), ("a" * 256, "255 bytes"), ("\u00fc" * 128, "255 bytes"),
    ],
    ids=range(12),
)  # fmt: skip
def test_a_bad_name_is_told(name: str, said: str) -> None:
    assert said in trouble(name)
    assert said in path_trouble(f"folder/{name}/file")


def test_a_path_has_an_end() -> None:
    assert path_trouble("a/" * 300 + "a") == ""
    assert "700 characters" in path_trouble("a/" * 350 + "a")


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        ([], ""),
        (["a", "b/a", "b/c"], ""),
        (["a", "a"], "'a' is there twice"),
        (["b/A", "b/a"], "'b/a' and 'b/A' are one where case is none"),
        (["\u00fc", "u\u0308"], "are one"),
        (["a", "a/b"], "'a' is a file and a folder"),
        (["A/b/c", "a/B"], "'a/B' is a file and a folder"),
    ],
    ids=range(7),
)
def test_files_that_cannot_lie_side_by_side_are_told(paths: list[str], said: str) -> None:
    assert said in clash(paths)
    assert bool(said) == bool(clash(paths))
