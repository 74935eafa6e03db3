"""The part of a configuration file that is ours, with the line of each key."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_potmodels.errors import UnknownNameError

Keys = tuple[str, ...]


@dataclass(frozen=True)
class ConfigFile:
    """The part of a file that is ours, as plain values."""

    path: Path
    table: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[Keys, int] = field(default_factory=dict)

    def where(self, *keys: str) -> str:
        """`file:line` of a key, or of the nearest table around it whose line is known."""
        for depth in range(len(keys), 0, -1):
            if line := self.lines.get(keys[:depth]):
                return f"{self.path}:{line}"
        return str(self.path)

    def reject_unknown(self, table: Mapping[str, Any], known: tuple[str, ...], *at: str) -> None:
        """Raise for the first key of `table` (which lies at `at`) that is not among `known`.

        Raises:
            UnknownNameError: with file, line and close matches.
        """
        for key in table:
            if key not in known:
                raise UnknownNameError(
                    "key",
                    str(key),  # YAML has numbers for keys, too.
                    known,
                    where=self.where(*at, str(key)),
                    remedy=f"keys: {', '.join(known)}",
                )
