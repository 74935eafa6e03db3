"""The files and lines that a runner reads."""

from pathlib import Path

import pytest

from pytest_potmodels.ci.outputs import (
    after_warming,
    annotation,
    export,
    harmless,
    masked,
    write_outputs,
    write_summary,
)
from pytest_potmodels.errors import StoreError

RUNNER = {"GITHUB_ACTIONS": "true"}


def test_a_value_cannot_end_itself(tmp_path: Path) -> None:
    file = tmp_path / "out"
    write_outputs({"a": "1\nEOF\nb=2", "c": ""}, {**RUNNER, "GITHUB_OUTPUT": str(file)})
    first, *lines = file.read_text().split("\n")
    name, _, end = first.partition("<<")
    assert (name, lines[: lines.index(end)]) == ("a", ["1", "EOF", "b=2"])
    write_outputs({"a": "x"}, {**RUNNER, "GITHUB_OUTPUT": str(file)})
    assert file.read_text().split("\n").count(end) == 1  # Another one each time.


def test_without_a_runner_nothing_is_written(tmp_path: Path) -> None:
    write_outputs({"a": "1"}, {"GITHUB_OUTPUT": str(tmp_path / "left by somebody")})
    export({"a": "1"}, {**RUNNER, "GITHUB_ENV": ""})
    write_summary("x", {})
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        write_outputs({"a": "1"}, {**RUNNER, "GITHUB_OUTPUT": str(tmp_path)})


def test_annotations_escape_what_ends_them() -> None:
    said = annotation("error", "50% of a\r\nb: c", file="a,b:c.lock", line=7)
    assert said == "::error file=a%2Cb%3Ac.lock,line=7::50%25 of a%0D%0Ab: c\n"
    assert annotation("warning", "x") == "::warning::x\n"


@pytest.mark.parametrize(
    "text", ["::error::x", "a\n  ::error::x", "a\r::error::x", "a ##[error]x", "\t::add-mask::x"]
)
def test_what_looks_like_a_command_is_spoilt(text: str) -> None:
    spoilt = harmless(text)
    assert "##[" not in spoilt
    assert not [line for line in spoilt.splitlines() if line.lstrip().startswith("::")]


def test_what_is_no_command_stays() -> None:
    assert harmless("std::vector, a::b\nx # [y]") == "std::vector, a::b\nx # [y]"


def test_later_steps_have_the_network_closed_unless_it_is_to_stay_open() -> None:
    assert list(after_warming(Path("c"), offline=False)) == ["POT_CACHE_DIR"]
    assert after_warming(Path("c"), offline=True)["POT_NETWORK"] == "block"


def test_a_mask_is_of_the_secret_as_the_runner_reads_it() -> None:
    assert masked("hf_%25x") == "::add-mask::hf_%2525x\n"


def test_an_annotation_steers_no_terminal() -> None:
    assert "\x1b" not in annotation("warning", "a\x1b[2Jb")
