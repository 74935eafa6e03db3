"""Lists of models in files: a batch as JSON, or one name a line."""

import json
from pathlib import Path

from pytest_potmodels.errors import UsageError
from pytest_potmodels.verification.wanted import Wanted, from_mapping

_EXAMPLE = 'write [{"model_id": "bert-base-uncased", "file_path": "model.onnx"}]'


def read_batch(path: Path) -> list[Wanted]:
    """The objects of a JSON file.

    Raises:
        UsageError: no such file, no JSON, no list, an empty one, or an object that cannot be meant.
    """
    try:
        said = json.loads(_text(path))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} is no JSON: {error}", remedy=_EXAMPLE) from error
    if not isinstance(said, list):
        raise UsageError(f"{path} holds no list, but {type(said).__name__}.", remedy=_EXAMPLE)
    if not said:
        raise UsageError(f"{path} names no model.", remedy=_EXAMPLE)
    return [from_mapping(each, f"{path}: model {place}") for place, each in enumerate(said, 1)]


def read_names(path: Path) -> list[str]:
    """The names of a file, one a line; `#` begins a comment.

    Raises:
        UsageError: no such file, no text, or no name in it.
    """
    lines = (line.partition("#")[0].strip() for line in _text(path).splitlines())
    names = [line for line in lines if line]
    if not names:
        raise UsageError(f"{path} names no model.", remedy="write one name a line")
    for name in names:
        if any(char.isspace() for char in name):
            raise UsageError(f"{path}: {name!r} is no name.", remedy="write one name a line")
    return names


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no text: {error}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
