"""Markdown as values: code blocks with their section, tables, links and anchors."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]

#: All that is written for users and contributors.
PAGES = (
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / ".github").glob("*.md")),
)

Row = tuple[str, ...]

_INSERTED = re.compile(r"^# ([\w./-]+\.(?:py|toml|yaml))$")


@dataclass(frozen=True)
class Block:
    """A fenced block; `line` is that of its fence."""

    page: Path
    section: str
    line: int
    kind: str
    text: str

    @property
    def file(self) -> str | None:
        """The file that the block is, where its first line is a comment with a file name."""
        found = _INSERTED.match(self.text.splitlines()[0]) if self.text.strip() else None
        return found[1] if found else None

    @property
    def where(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


@dataclass(frozen=True)
class Page:
    """One file, parsed."""

    path: Path

    @property
    def blocks(self) -> list[Block]:
        """Its fenced blocks, each with the second-level heading that it stands under."""
        found, section = [], ""
        tokens = self._tokens
        for number, token in enumerate(tokens):
            if token.type == "heading_open" and token.tag in ("h1", "h2"):
                section = tokens[number + 1].content
            if token.type in ("fence", "code_block"):
                line = token.map[0] + 1 if token.map else 0
                kind = token.info.strip() or token.type
                found.append(Block(self.path, section, line, kind, token.content))
        return found

    def table(self, *head: str) -> list[Row]:
        """The rows of the one table whose head begins with these cells."""
        tables = [rows for rows in self._tables() if rows[0][: len(head)] == head]
        assert len(tables) == 1, f"{self.path.name} has {len(tables)} tables with {head}"
        return tables[0][1:]

    @property
    def links(self) -> list[str]:
        """Where its links lead."""
        inner = (child for token in self._tokens for child in token.children or ())
        return [str(child.attrs["href"]) for child in inner if child.type == "link_open"]

    @property
    def anchors(self) -> set[str]:
        """Its headings, as links name them."""
        after = zip(self._tokens, self._tokens[1:], strict=False)
        headings = [text.content for mark, text in after if mark.type == "heading_open"]
        return {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}

    @property
    def _tokens(self) -> list[Token]:
        text = self.path.read_text(encoding="utf-8")
        return MarkdownIt("commonmark").enable("table").parse(text)

    def _tables(self) -> Iterator[list[Row]]:
        rows: list[Row] = []
        cells: list[str] = []
        for token in self._tokens:
            match token.type:
                case "table_open":
                    rows = []
                case "tr_open":
                    cells = []
                case "inline":
                    cells.append(token.content)
                case "tr_close":
                    rows.append(tuple(cells))
                case "table_close":
                    yield rows


def plain(cell: str) -> str:
    """A cell without its back quotes."""
    return cell.replace("`", "")
