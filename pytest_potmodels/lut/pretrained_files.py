"""Which pretrained networks there are, and where their files lie: a look at folders, no more.

Folders are searched in this order, and the first that has a name gives it: `./pretrained`, those
of `POT_LUT_PATH`, and the one of this package. In each, `TYPE/NAME.yaml` is a network, with its
weights beside it: `NAME.safetensors`, else `NAME.pth`, and hardened `NAME.hard.safetensors`.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_potmodels.errors import LUTError, LUTNameError

VARIABLE = "POT_LUT_PATH"
_SHIPPED = Path(__file__).parent / "pretrained"
_SUFFIX = ".yaml"
_WEIGHTS, _HARDENED = (".safetensors", ".pth"), ".hard.safetensors"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class PretrainedFiles:
    """The files of one network.

    Attributes:
        name: with its type, as `names` has it: "feedforward/digits_small".
        folder: where all of them are.
        config: the YAML.
        weights: the trained values, if they are there.
        hardened: the bits alone, if they are there.
    """

    name: str
    folder: Path
    config: Path
    weights: Path | None
    hardened: Path | None


def folders() -> list[Path]:
    """The folders that are searched, in this order; they need not be there."""
    said = [each for each in os.environ.get(VARIABLE, "").split(os.pathsep) if each]
    # Path.expanduser raises at users that are not there.
    mine = [Path(os.path.expanduser(each)).absolute() for each in ("pretrained", *said)]  # noqa: PTH111
    return [*mine, _SHIPPED]


def names() -> list[str]:
    """All names with their types, sorted: "feedforward/digits_small"."""
    return sorted({name for folder in folders() for name, _ in _in(folder)})


def list_pretrained_models() -> list[str]:
    """All names with their types, sorted; each is one for `build_model`."""
    return names()


def find(name: str) -> PretrainedFiles:
    """The files of a network by its name, with or without its type.

    Raises:
        LUTNameError: there is none; with close matches and the folders that were searched.
        LUTError: one folder has it under two types.
    """
    _check_kind(name)
    for folder in folders():
        found = [(full, path) for full, path in _in(folder) if name in {full, path.stem}]
        if len(found) > 1:
            both = " and ".join(full for full, _ in found)
            raise LUTError(f"{name!r} is {both} in {folder}.", remedy=f"write {found[0][0]!r}")
        if found:
            return _files(*found[0])
    raise _unknown(name)


def beside(config: Path) -> PretrainedFiles:
    """The files that belong to a YAML, wherever it lies."""
    return _files(config.stem, config)


def _check_kind(name: object) -> None:
    if not isinstance(name, str):
        raise LUTError(f"a network is found by a name, got {type(name).__name__}.")


def _files(name: str, config: Path) -> PretrainedFiles:
    def there(*suffixes: str) -> Path | None:
        paths = (config.with_name(f"{config.stem}{suffix}") for suffix in suffixes)
        return next((path for path in paths if path.is_file()), None)

    return PretrainedFiles(name, config.parent, config, there(*_WEIGHTS), there(_HARDENED))


def _in(folder: Path) -> Iterator[tuple[str, Path]]:
    try:
        found = sorted(folder.glob(f"*/*{_SUFFIX}"))
    except OSError as error:
        raise LUTError(
            f"{folder} cannot be read: {error.strerror or error}.",
            remedy=f"mend it, or leave it out of {VARIABLE}",
        ) from error
    for path in found:
        named = _NAME.fullmatch(path.stem) and _NAME.fullmatch(path.parent.name)
        if named and not path.is_dir():
            yield f"{path.parent.name}/{path.stem}", path


def _unknown(name: str) -> LUTNameError:
    known = names()
    either = [*known, *(full.partition("/")[2] for full in known)]
    searched = ", ".join(str(folder) for folder in folders())
    return LUTNameError(
        "pretrained model",
        name,
        either,
        remedy=f"available: {', '.join(known) or 'none'} (searched {searched}); "
        f"{VARIABLE} names more folders",
    )
