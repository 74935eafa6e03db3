"""Where in the text of a lock file things are; tomllib does not tell."""

import re

_MODEL = re.compile(r"^\s*\[\[\s*model\s*\]\]")
_KEY = re.compile(r"""^\s*["']?([\w-]+)["']?\s*=""")
_FILE = re.compile(r"^\s*\{")


class Lines:
    """Line numbers of a lock as this package writes it; of another one, the nearest it can tell.

    A reader of lines, not of TOML: what it says is only for messages.
    """

    def __init__(self, text: str) -> None:
        self._top: dict[str, int] = {}
        self._models: list[int] = []
        self._keys: list[dict[str, int]] = []
        self._files: list[list[int]] = []
        for number, line in enumerate(text.split("\n"), start=1):
            self._take(number, line)

    def _take(self, number: int, line: str) -> None:
        if _MODEL.match(line):
            self._models.append(number)
            self._keys.append({})
            self._files.append([])
        elif found := _KEY.match(line):
            keys = self._keys[-1] if self._keys else self._top
            keys.setdefault(found[1], number)
        elif _FILE.match(line) and self._files:
            self._files[-1].append(number)

    def top(self, key: str) -> int:
        """The line of a key above all models."""
        return self._top.get(key, 1)

    def model(self, number: int) -> int:
        """The line of a model's header; models count from 0."""
        return self._models[number] if number < len(self._models) else 1

    def key(self, number: int, key: str) -> int:
        """The line of a key of a model, or of the model."""
        keys = self._keys[number] if number < len(self._keys) else {}
        return keys.get(key, self.model(number))

    def file(self, number: int, place: int) -> int:
        """The line of a file of a model, or of the model's files."""
        files = self._files[number] if number < len(self._files) else []
        return files[place] if place < len(files) else self.key(number, "files")
