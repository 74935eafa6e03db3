"""What the pages point at is there: files, headings, commands, make targets, test files."""

import re
from pathlib import Path

import pytest
from docs.markdown import PAGES, ROOT, Page

from pytest_potmodels.cli.dispatch import COMMANDS

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
_INLINE = re.compile(r"`([^`\n]+)`")
_FILE = re.compile(r"(?:tests|benchmarks|docs|example_project)/[\w./]+")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_each_link_leads_to_a_file_and_a_heading_of_it(path: Path) -> None:
    for link in Page(path).links:
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in Page(target).anchors, link


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_commands_targets_and_files_that_the_text_names_exist(path: Path) -> None:
    for said in _INLINE.findall(path.read_text(encoding="utf-8")):
        match said.split():
            case ["potmodels", command, *_] if command.isalpha():
                assert command in COMMANDS, said
            case ["make", target, *_]:
                assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), said
            case [file] if _FILE.fullmatch(file):
                assert (ROOT / file).exists(), said


def test_the_readme_leads_to_every_page() -> None:
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in Page(ROOT / "README.md").links}
    assert linked >= {path for path in PAGES if path.name != "README.md"}
