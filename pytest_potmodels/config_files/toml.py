"""Read potmodels.toml, or [tool.potmodels] of pyproject.toml, with the line of each key."""

import re
import tomllib
from pathlib import Path
from typing import Any

from pytest_potmodels.config_files.table import ConfigFile, Keys
from pytest_potmodels.errors import UsageError

_SHARED_FILE = "pyproject.toml"
_SECTION = ("tool", "potmodels")

_PART = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_HEADER = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]")
_KEY = re.compile(rf"^\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")


def read_toml(path: Path) -> ConfigFile | None:
    """The table of ours in a TOML file; None when a shared file has none.

    Raises:
        UsageError: no valid TOML, or a table of ours that is none.
    """
    section: Keys = () if path.name != _SHARED_FILE else _SECTION
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows editors may put a mark in front.
        table: Any = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} is no valid TOML: {error}.") from error
    for key in section:
        table = table.get(key) if isinstance(table, dict) else None
    if table is None:
        return None
    if not isinstance(table, dict):
        raise UsageError(f"{path}: [{'.'.join(section)}] is no table.")
    return ConfigFile(path, table, _toml_lines(text, section))


def _toml_lines(text: str, section: Keys) -> dict[Keys, int]:
    """Line numbers of keys and headers, without the section's own prefix.

    A reader of lines, not of TOML: keys inside multi-line strings may be counted too, which
    does no harm, because only keys that the parser saw are looked up.
    """
    lines: dict[Keys, int] = {}
    prefix: Keys = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            prefix = _parts(header[1])
            lines.setdefault(prefix, number)
        elif key := _KEY.match(line):
            lines.setdefault((*prefix, *_parts(key[1])), number)
    depth = len(section)
    return {keys[depth:]: line for keys, line in lines.items() if keys[:depth] == section}


def _parts(dotted: str) -> Keys:
    return tuple(part.strip("\"'") for part in re.findall(_PART, dotted))
