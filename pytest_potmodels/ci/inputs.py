"""What a job says it wants: options of the command line, or `POT_ACTION_*` of the Action."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.settings.words import parse_size

#: What begins the variables that the Action passes its inputs by.
PREFIX = "POT_ACTION_"
#: Relative, and the same on every system: the cache service tells entries apart by it.
DEFAULT_CACHE_DIR = ".potmodels-cache"

Mode = Literal["auto", "read", "write", "false"]
Told = Literal["on-change", "true", "false"]

_TRUE, _FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})


@dataclass(frozen=True)
class Inputs:
    """All inputs of one call; each field is the input of that name, with `-` for `_`."""

    #: "": the lock file in force, if there is one.
    lockfile: str = ""
    working_directory: str = ""
    cache: Mode = "auto"
    cache_dir: str = DEFAULT_CACHE_DIR
    cache_suffix: str = ""
    #: Bytes of models above which nothing is saved.
    max_size: int = 8 * 1000**3
    #: Names and globs of what is wanted, or the one word `plan`; (): all.
    select: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    preset: tuple[str, ...] = ()
    allow_gated: bool = False
    #: Whether later steps of the job have the network closed for models.
    offline: bool = True
    retries: str = ""
    timeout: str = ""
    summary: Told = "on-change"
    token: str = field(default="", repr=False)
    #: The interpreter that collects the tests for `select: plan`.
    python: str = "python"


def read(given: Mapping[str, str | None], environ: Mapping[str, str]) -> Inputs:
    """The inputs: options before variables before defaults; an empty text is none.

    Args:
        given: the options' values by input name (`cache-dir`); None where there was none.
        environ: the environment.

    Raises:
        UsageError: a value that cannot be meant; the message names the input.
        UnknownNameError: a variable of the Action's that is no input.
    """
    _reject_unknown(environ)
    values: dict[str, Any] = {}
    for name, parse in INPUTS.items():
        origin, text = f"--{name}", (given.get(name) or "").strip()
        if not text:
            origin, text = f"input {name}", environ.get(variable(name), "").strip()
        if text:
            values[name.replace("-", "_")] = parse(text, origin)
    return Inputs(**values)


def variable(name: str) -> str:
    """The variable by which the Action passes an input."""
    return PREFIX + name.upper().replace("-", "_")


def _reject_unknown(environ: Mapping[str, str]) -> None:
    known = {variable(name): name for name in INPUTS}
    for name in environ:
        if name.startswith(PREFIX) and name not in known:
            said = name.removeprefix(PREFIX).lower().replace("_", "-")
            raise UnknownNameError(
                "input", said, INPUTS, where=name, remedy=f"inputs: {', '.join(INPUTS)}"
            )


def _text(text: str, origin: str) -> str:
    if not text.isprintable():
        raise UsageError(f"{origin}: {text!r} has characters that cannot be printed.")
    return text


def _folder(text: str, origin: str) -> str:
    # The cache service takes the path for a pattern, and would save all that it fits.
    if text.startswith(("!", "#")) or any(sign in text for sign in "*?["):
        raise UsageError(
            f"{origin}: {text!r} is a pattern to the cache service, and no folder.",
            remedy=f"name a folder of its own: {DEFAULT_CACHE_DIR}",
        )
    return _text(text, origin)


def _token(text: str, origin: str) -> str:
    if not text.isprintable():  # What a runner masks is the text itself, and no repr of it.
        raise UsageError(
            f"{origin}: it has characters that cannot be printed, and no token has those.",
            remedy="store the secret anew, without line breaks",
        )
    return text


def _words(text: str, origin: str) -> tuple[str, ...]:
    words = tuple(text.split())
    for word in words:
        _text(word, origin)
    return words


def _suffix(text: str, origin: str) -> str:
    # The key may have 512 characters and no comma, and a reader has to tell its parts apart.
    plain = text.isascii() and text.replace("-", "").replace("_", "").replace(".", "").isalnum()
    if not plain or len(text) > 100:  # noqa: PLR2004 - well below 512, with the rest of the key
        raise UsageError(
            f"{origin}: {text!r} cannot stand in a key.",
            remedy="take letters, digits, '.', '_' and '-', at most 100 of them",
        )
    return text


def _boolean(text: str, origin: str) -> bool:
    word = text.lower()
    if word not in _TRUE | _FALSE:
        raise UsageError(
            f"{origin}: {text!r} is neither true nor false.",
            remedy="true, 1 or yes; false, 0 or no",
        )
    return word in _TRUE


def _mode(text: str, origin: str) -> Mode:
    word = "false" if text.lower() in _FALSE else text.lower()
    return cast(Mode, _one_of(word, ("auto", "read", "write", "false"), origin))


def _told(text: str, origin: str) -> Told:
    word = text.lower()
    if word in _TRUE | _FALSE:
        return "true" if word in _TRUE else "false"
    return cast(Told, _one_of(word, ("on-change", "true", "false"), origin))


def _one_of(word: str, known: tuple[str, ...], origin: str) -> str:
    if word not in known:
        raise UnknownNameError(
            "value", word, known, where=origin, remedy=f"one of: {', '.join(known)}"
        )
    return word


def _size(text: str, origin: str) -> int:
    try:
        return parse_size(text)
    except ValueError as error:
        raise UsageError(f"{origin}: {error}") from None


#: Each input, and what makes a value of what was written.
INPUTS: Mapping[str, Callable[[str, str], Any]] = {
    "lockfile": _text,
    "working-directory": _text,
    "cache": _mode,
    "cache-dir": _folder,
    "cache-suffix": _suffix,
    "max-size": _size,
    "select": _words,
    "models": _words,
    "preset": _words,
    "allow-gated": _boolean,
    "offline": _boolean,
    "retries": _text,
    "timeout": _text,
    "summary": _told,
    "token": _token,
    "python": _text,
}
