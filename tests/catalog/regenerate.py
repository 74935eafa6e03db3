"""Write `catalog/torchvision_weights.toml` anew from the installed torchvision.

    python tests/catalog/regenerate.py

`tests/catalog/test_torchvision_weights.py` fails when the shipped table and torchvision differ.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest_potmodels
from pytest_potmodels.loading.torchvision_guard import import_torchvision

TABLE = Path(pytest_potmodels.__file__).parent / "catalog" / "torchvision_weights.toml"

_HEAD = """\
# torchvision's classification weights: architecture -> its default, and each set's file.
# Written by tests/catalog/regenerate.py; edits here are lost.
# sha256: the first hex digits, from the file name. size: bytes, as torchvision rounds them.
# categories: 0 where the weights are meant for the features alone.
"""
_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,})\.pth$")
#: torchvision states sizes in units of this, to three digits.
_MEBIBYTE = 1024 * 1024


def render() -> str:
    """The table's text."""
    import_torchvision()
    from torchvision import models  # noqa: PLC0415 - importable only after the line above

    architectures = models.list_models(module=models)
    tables = (
        line
        for name in architectures
        for line in _architecture(name, models.get_model_weights(name))
    )
    return "\n".join([_HEAD.rstrip(), *tables, ""])


def _architecture(name: str, members: Any) -> Iterator[str]:
    yield f'\n[{name}]\ndefault = "{members.DEFAULT.name}"'
    for member in members:
        yield f"\n[{name}.weights.{member.name}]"
        yield from (f"{key} = {_literal(value)}" for key, value in _entry(member).items())


def _entry(member: Any) -> dict[str, Any]:
    meta = member.meta
    found = _HASH_IN_NAME.search(member.url)
    if found is None:
        raise SystemExit(f"{member.url}: no hash in the file name")
    entry = {
        "url": member.url,
        "sha256": found[1],
        "size": round(meta["_file_size"] * _MEBIBYTE),
        "categories": len(meta["categories"] or ()),
        "license": meta.get("license"),
        "recipe": meta.get("recipe"),
    }
    return {key: value for key, value in entry.items() if value is not None}


def _literal(value: str | int) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


if __name__ == "__main__":
    TABLE.write_text(render(), encoding="utf-8", newline="\n")
