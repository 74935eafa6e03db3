"""Which parts of a cache are to go, and why: a frozen plan, made before anything is touched.

What was used least recently goes first, and derived folders, which can be made again, before
models. What a running process uses stays, whatever the rules say.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.store.derived_manifest import DerivedModel

What = Literal["model", "derived", "leftover"]
#: The order in which kinds of things go.
_ORDER: tuple[What, ...] = ("leftover", "derived", "model")
DAY = 86400.0
IN_PLACE = "used where it lies"


@dataclass(frozen=True)
class Item:
    """Something in the cache that takes room."""

    what: What
    #: The folder's name.
    name: str
    #: As people know it.
    title: str
    path: Path
    size: int
    #: Seconds since the epoch.
    last_used: float
    #: Who uses it, or why it cannot go; "" if it can.
    held: str = ""
    of: StoredModel | DerivedModel | None = None
    #: Whether it lies where other caches may keep what was made from their models, too.
    shared: bool = False

    @property
    def made_from(self) -> str:
        """The digest of the model that it was made from."""
        return self.of.made_from.digest if isinstance(self.of, DerivedModel) else ""

    @property
    def digest(self) -> str:
        """The digest of the model that it is."""
        return self.of.digest if isinstance(self.of, StoredModel) else ""


@dataclass(frozen=True)
class Rules:
    """What is to go: each rule for itself says so. Seconds and bytes."""

    max_size: int | None = None
    older_than: float | None = None
    #: Models that may stay, by folder; None: the rule is not in force.
    only: frozenset[str] | None = None
    only_is: str = "potmodels.lock"
    #: Folders of models that stay, whatever the other rules say.
    keep: frozenset[str] = frozenset()
    #: What was used since then stays, whatever its size.
    min_age: float = 0.0
    #: Derived folders alone are looked at; all of them go, unless size or age say which.
    derived: bool = False
    #: Whether leftovers go that are older than a day, and derived folders without a model.
    sweep: bool = True


@dataclass(frozen=True)
class Step:
    """An item, and why it goes or stays."""

    item: Item
    why: str


@dataclass(frozen=True)
class Plan:
    """What goes, in this order, and what stays."""

    remove: tuple[Step, ...]
    keep: tuple[Step, ...]
    #: The bytes that `max_size` was compared with.
    size: int

    @property
    def freed(self) -> int:
        """Bytes of what goes."""
        return sum(step.item.size for step in self.remove)


def plan(items: Iterable[Item], rules: Rules, *, now: float) -> Plan:
    """Decide about each item; nothing is touched."""
    ordered = sorted(items, key=lambda item: (_ORDER.index(item.what), item.last_used, item.name))
    spared = {item.path: why for item in ordered if (why := _spared(item, rules, now))}
    free = [item for item in ordered if item.path not in spared]
    going: dict[Path, str] = {}
    models = frozenset(item.digest for item in ordered if item.digest)
    for item in free:
        if why := _why(item, rules, models, now):
            going[item.path] = why
    counted = [item for item in ordered if _counts(item, rules)]
    _follow(free, going)
    _make_room(counted, free, going, rules)
    return Plan(
        remove=tuple(Step(item, going[item.path]) for item in ordered if item.path in going),
        keep=tuple(
            Step(item, spared.get(item.path, "")) for item in ordered if item.path not in going
        ),
        size=sum(item.size for item in counted),
    )


def _spared(item: Item, rules: Rules, now: float) -> str:
    """Why an item stays that the rules might take; "" if nothing speaks for it."""
    if item.held:
        return item.held
    if item.what == "leftover":
        return "" if now - item.last_used > DAY else "younger than a day"
    if item.name in rules.keep:
        return "kept by name"
    if item.what == "model" and rules.only is not None and item.name in rules.only:
        return f"in {rules.only_is}"
    # A clock that was put back, or a server's that is ahead, shows uses that are yet to come.
    if rules.min_age and now - item.last_used < rules.min_age:
        return f"used in the last {in_days(rules.min_age)}"
    return ""


def _why(item: Item, rules: Rules, models: frozenset[str], now: float) -> str:
    """Why an item goes, whatever the room; "" if no rule says so."""
    idle = now - item.last_used
    if item.what == "leftover":
        return f"left over, {in_days(idle)} old" if rules.sweep else ""
    is_orphan = item.what == "derived" and item.made_from not in models and not item.shared
    if is_orphan and rules.sweep:
        return "its model is not in the cache"
    return "" if rules.derived and item.what != "derived" else _by_rule(item, rules, idle)


def _by_rule(item: Item, rules: Rules, idle: float) -> str:
    if item.what == "model" and rules.only is not None:
        return f"not in {rules.only_is}"
    if rules.older_than is not None and idle > rules.older_than:
        return f"not used for {in_days(idle)}"
    if rules.derived and rules.older_than is None and rules.max_size is None:
        return "derived: made again when needed"
    return ""


def _counts(item: Item, rules: Rules) -> bool:
    """Whether an item is part of the size that is limited."""
    if item.held == IN_PLACE:
        return False
    return item.what == "derived" if rules.derived else True


def _follow(free: Sequence[Item], going: dict[Path, str]) -> None:
    """What was made from a model that goes is of no more use."""
    models = {item.digest: item for item in free if item.path in going and item.digest}
    for item in free:
        if item.made_from in models and item.path not in going:
            going[item.path] = f"made from {models[item.made_from].title}"


def _make_room(
    counted: Sequence[Item], free: Sequence[Item], going: dict[Path, str], rules: Rules
) -> None:
    """Take more, in their order, until the rest fits."""
    if rules.max_size is None:
        return
    for item in _candidates(free, going, rules):
        left = sum(each.size for each in counted if each.path not in going)
        if left <= rules.max_size:
            return
        going[item.path] = "the cache is too large, and this was used least recently"
        _follow(free, going)


def _candidates(free: Sequence[Item], going: dict[Path, str], rules: Rules) -> Iterator[Item]:
    for item in free:
        if item.path not in going and (item.what == "derived" or not rules.derived):
            yield item


def in_days(seconds: float) -> str:
    """A time for people: `3 hours`, `1 day`, `45 days`."""
    for unit, length in (("day", DAY), ("hour", 3600.0), ("minute", 60.0)):
        if seconds >= length:
            count = int(seconds / length)
            return f"{count} {unit}{'s' if count != 1 else ''}"
    return "less than a minute"
