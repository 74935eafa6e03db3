"""Every code block of every page runs, or is of a kind that is only shown."""

import shlex
from itertools import groupby

import pytest
from click.testing import CliRunner
from docs.markdown import PAGES, Block, Page
from docs.project import Project

from pytest_potmodels.cli.dispatch import potmodels

RUN = {"python", "console", "toml", "yaml"}
SHOWN = {"text", "mermaid"}
BLOCKS = [block for path in PAGES for block in Page(path).blocks]
#: Pages and sections that load most and change least; other tests run the like of them.
LONG = {
    *("ci.md", "downloader.md", "hooks.md", "migrate.md", "model-setup.md", "pristine.md"),
    "verification.md",
    *("experiments.md: From Python", "experiments.md: On the command line"),
    *("lock-file.md: What is locked, and when it changes", "remote.md: A shared folder"),
    *("onnx.md: Exporting", "onnx.md: In tests"),
    *("lut.md: The fixture", "lut.md: Modes", "lut.md: On the command line", "lut.md: In Python"),
    "README.md: What the output says",  # `make demo` runs the same.
    *("fixtures-and-markers.md: Markers", "fixtures-and-markers.md: pot_models"),
    *("fixtures-and-markers.md: What a fixture yields", "lock-file.md: Lock what the tests need"),
    *("sources.md: A file by URL", "sources.md: PyTorch Hub"),
    *("README.md: A model that arrives as a wheel", "README.md: From Python"),
    *("README.md: Models of your own", "planning.md: A network that closes"),
    "README.md: On the command line",  # each command by its own tests
}
#: They use transformers as it comes, which needs a torchvision that can be imported.
STOCK = {"migrate.md: Before"}


def sections() -> dict[str, list[Block]]:
    """The blocks of each section that has something to run."""
    by_section = groupby(BLOCKS, key=lambda block: f"{block.page.name}: {block.section}")
    found = {title: list(blocks) for title, blocks in by_section}
    return {
        title: blocks
        for title, blocks in found.items()
        if any(block.kind in RUN for block in blocks)
    }


SECTIONS = sections()


@pytest.mark.parametrize(
    "section",
    [
        pytest.param(title, marks=pytest.mark.slow if LONG & {title, blocks[0].page.name} else ())
        for title, blocks in SECTIONS.items()
    ],
)
def test_a_section_does_what_it_says(project: Project, section: str) -> None:
    if section in STOCK:
        project.environ["PYTEST_PLUGINS"] = "importable_torchvision"
    project.follow(SECTIONS[section])


def test_every_command_that_is_shown_has_the_options_that_are_shown() -> None:
    """Help comes before anything is done, and after every word was understood."""
    lines = [
        (block.where, shlex.split(line[2:], comments=True)[1:])
        for block in BLOCKS
        for line in block.text.splitlines()
        if block.kind == "console" and line.startswith("$ potmodels ")
    ]
    assert len(lines) > 60
    for where, words in lines:
        told = CliRunner().invoke(potmodels, [*words, "--help"])
        assert told.exit_code == 0, f"{where}: potmodels {shlex.join(words)}\n{told.stderr}"


def test_every_block_is_of_a_known_kind() -> None:
    strange = [f"{block.where}: {block.kind}" for block in BLOCKS if block.kind not in RUN | SHOWN]
    assert not strange, "nothing runs these"


def test_there_are_blocks_to_run() -> None:
    assert {block.kind for block in BLOCKS} >= {"python", "console", "toml"}
    assert len(SECTIONS) > 8
