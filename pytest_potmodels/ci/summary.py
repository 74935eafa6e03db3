"""The summary of a job, as Markdown: which models, from where, and what was saved."""

import re
from collections.abc import Iterator

from pytest_potmodels.ci.warming import Warmed, Warming
from pytest_potmodels.transfer.disk import in_units

#: GitHub drops a summary that is larger, in bytes; room is left for those of other steps.
_LARGEST = 1024 * 1024 - 64 * 1024
#: Characters of a name; a longer one is nobody's to read in a table.
_LONGEST = 200
#: All that Markdown or HTML gives a meaning to; GitHub makes links of `www.`, too.
_MEANING = re.compile(r"[&<>|`*_\[\]()#~\\!@$\"'{}+=:/.-]")

_COMMIT = re.compile(r"[0-9a-f]{40}")


def render(warming: Warming, why: str) -> str:
    """The summary; `why` says what the job may do with the cache.

    Rows that do not fit are counted instead.
    """
    head = (
        "### Models\n\n"
        "| model | revision | source | size | cache | seconds |\n"
        "| --- | --- | --- | ---: | --- | ---: |\n"
    )
    tail = "\n".join(["", *_facts(warming, why), *_folded(warming), ""])
    room = _LARGEST - len((head + tail).encode())
    rows, left = _fitting([_row(row) for row in warming.rows], room)
    more = f"| … and {left} more | | | | | |\n" if left else ""
    return head + "".join(rows) + more + tail


def escaped(text: str) -> str:
    """Text as itself in a table: no Markdown, no HTML, no line break, no link."""
    cut = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
    return "".join(_character(c) for c in cut)


def _character(c: str) -> str:
    if not c.isprintable():
        return _character("\\") + c.encode("unicode_escape").decode()[1:]
    return f"&#{ord(c)};" if _MEANING.match(c) else c


def _row(row: Warmed) -> str:
    revision = row.revision[:8] if _COMMIT.fullmatch(row.revision) else row.revision
    cells = (
        escaped(row.name), escaped(revision or "-"), escaped(row.source), in_units(row.bytes),
        row.state, f"{row.seconds:.1f}",
    )  # fmt: skip
    return f"| {' | '.join(cells)} |\n"


def _fitting(rows: list[str], room: int) -> tuple[list[str], int]:
    kept = []
    for row in rows:
        room -= len(row.encode())
        if room < 100:  # noqa: PLR2004 - for the line that counts the others
            break
        kept.append(row)
    return kept, len(rows) - len(kept)


def _facts(warming: Warming, why: str) -> Iterator[str]:
    kept = sum(row.bytes for row in warming.rows if row.state == "hit")
    requests = f"{warming.requests} request{'s' if warming.requests != 1 else ''}"
    yield (
        f"**{warming.state}**: saved {in_units(kept)} of download; "
        f"{in_units(warming.downloaded_bytes)} fetched with {requests}, "
        f"{in_units(warming.verified_bytes)} verified after the restore, "
        f"{warming.seconds:.1f} s in all."
    )
    yield ""
    against = "the lock file" if warming.law == "lock" else "the manifests only: there is no lock"
    yield f"Verified against {against}. Cache: {escaped(why)}."


def _folded(warming: Warming) -> Iterator[str]:
    said = [*warming.broken, *(f"{name} removed" for name in warming.removed)]
    if not said:
        return
    yield from ("", "<details><summary>Broken, unknown or not asked for</summary>", "")
    yield from (f"- {escaped(each)}" for each in said[:200])
    if len(said) > 200:  # noqa: PLR2004 - what nobody reads to the end
        yield f"- … and {len(said) - 200} more"
    yield from ("", "</details>")
