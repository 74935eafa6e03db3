"""What a value may be: a rule has its sentence, so that an error can say it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_potmodels.errors import LUTError, close_matches

#: Says where a key is written, as `file:line: `, or nothing.
Where = Callable[[str], str]


@dataclass(frozen=True)
class Rule:
    """`says` completes "KEY must be ..."; `words` are the ones that a typing error may mean."""

    says: str
    fits: Callable[[Any], bool]
    words: tuple[str, ...] = ()


def nowhere(_key: str) -> str:
    """Say no place: the value was written in Python."""
    return ""


def check(rule: Rule, key: str, value: Any, where: Where = nowhere) -> None:
    """Accept a value.

    Raises:
        LUTError: it does not fit; with place, key, what it must be, and what it is.
    """
    if rule.fits(value):
        return
    meant = close_matches(value, rule.words) if isinstance(value, str) else []
    hint = f" Did you mean {meant[0]!r}?" if meant else ""
    raise LUTError(f"{where(key)}{key} must be {rule.says}, got {value!r}.{hint}")


def number(says: str, fits: Callable[[float], bool]) -> Rule:
    """A finite number; true and false are none."""
    return Rule(says, lambda value: _is_number(value) and fits(value))


def whole(least: int, most: int | None = None) -> Rule:
    """A whole number; true and false are none."""
    bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
    return Rule(
        f"a whole number {bounds}",
        lambda value: _is_whole(value) and value >= least and (most is None or value <= most),
    )


def one_of(*words: str, also: tuple[str, ...] = ()) -> Rule:
    """One of these words; `also` are other ways to say one of them."""
    known = (*words, *also)
    return Rule(
        f"one of {', '.join(words)}", lambda value: isinstance(value, str) and value in known, known
    )


def several(each: Rule, says: str) -> Rule:
    """A list with at least one value, each of which fits."""
    return Rule(
        says,
        lambda value: (
            isinstance(value, list | tuple) and bool(value) and all(map(each.fits, value))
        ),
    )


def optional(rule: Rule) -> Rule:
    """The same, or none."""
    return Rule(
        f"{rule.says}, or none", lambda value: value is None or rule.fits(value), rule.words
    )


def _is_number(value: Any) -> bool:
    number_ = isinstance(value, int | float) and not isinstance(value, bool)
    return number_ and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


SWITCH = Rule("true or false", lambda value: isinstance(value, bool))
TEXT = Rule("a text", lambda value: isinstance(value, str) and bool(value.strip()))
TABLE = Rule(
    "a mapping with names for keys",
    lambda value: isinstance(value, Mapping) and all(isinstance(key, str) for key in value),
)
PROBABILITY = number("a number in [0, 1]", lambda value: 0 <= value <= 1)
