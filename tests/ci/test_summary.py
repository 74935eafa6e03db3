"""The summary of a job, rendered as GitHub renders Markdown."""

from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from pytest_potmodels.ci.summary import escaped, render
from pytest_potmodels.ci.warming import Warmed, Warming

ROW = Warmed("huggingface:org/model", "a" * 40, "huggingface", 1_234_567, "hit", 0.52)
OTHER = replace(ROW, name="torchvision:resnet18", revision="IMAGENET1K_V1", state="fetched")
WARMING = Warming(
    rows=(ROW, OTHER),
    state="partial",
    law="lock",
    complete=True,
    changed=True,
    held=2_469_134,
    verified_bytes=1_234_567,
    downloaded_bytes=1_234_567,
    requests=3,
    seconds=1.25,
    broken=(),
    removed=(),
)  # fmt: skip
HOSTILE = [
    "a|b", "`x`", "<script>alert(1)</script>", "[a](javascript:b)", "*b*_c_~~d~~", "a\n| b |",
    "![x](http://h/p.png)", "www.evil.example", "</details>", "&lt;", "\\|", "@octocat", "https://evil.example",
    "a" * 10_000,
]  # fmt: skip


def html(text: str) -> str:
    return str(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text))


def test_a_row_for_each_model_and_what_was_saved() -> None:
    text = render(WARMING, "push to the default branch")
    shown = html(text)
    assert shown.count("<tr>") == 3
    assert "<td>huggingface:org/model</td>\n<td>aaaaaaaa</td>" in shown
    assert "<td>IMAGENET1K_V1</td>" in shown
    assert "saved 1.2 MB of download; 1.2 MB fetched with 3 requests" in shown
    assert "Verified against the lock file. Cache: push to the default branch." in shown


def test_without_a_lock_the_summary_says_so() -> None:
    assert "manifests only" in render(replace(WARMING, law="manifests"), "x")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_in_its_cell(name: str) -> None:
    warming = replace(WARMING, rows=(replace(ROW, name=name, revision=name),), broken=(name,))
    shown = html(render(warming, "x"))
    assert shown.count("<tr>") == 2
    assert shown.count("<td") == 6
    for tag in ("<script", "<img", "<a ", "<em", "<code", "<s>"):
        assert tag not in shown
    # GitHub makes links of words that begin so, which this renderer does not.
    assert "www." not in render(warming, "x")


def test_a_name_reads_as_it_is_written() -> None:
    name = "org/a_b|c`d`*e*<f>[g](h)\\i&j"
    expected = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert html(escaped(name)) == f"<p>{expected}</p>\n"


def test_a_summary_is_never_larger_than_github_takes() -> None:
    rows = tuple(replace(ROW, name=f"{n}-{'|' * 200}") for n in range(3000))
    text = render(replace(WARMING, rows=rows), "x")
    assert len(text.encode()) < 1024 * 1024
    assert "more" in text.splitlines()[text[: text.index("**partial**")].count("\n") - 2]
    assert "Verified against" in text


def test_what_was_broken_is_folded() -> None:
    text = render(replace(WARMING, broken=("x is a link",), removed=("old",)), "x")
    assert "<details>" in text
    assert "- x is a link" in text
    assert "- old removed" in text
