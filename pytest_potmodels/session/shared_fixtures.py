"""What tests share with their neighbours: torn apart, pytest would set it up again."""

from collections.abc import Hashable, Iterator, Sequence

import pytest

_SCOPES = ("session", "package", "module", "class")


def shared_by(items: Sequence[pytest.Item]) -> list[tuple[Hashable, ...]]:
    """For each test what it shares with others, outermost first.

    A module in which one test uses a fixture of module scope is shared by all of its tests, and
    so is a class; tests of a package share a fixture of package scope if they use it, and those of
    one parameter of wider scope share that. pytest itself sorts by such parameters.
    """
    places = [dict(_places(item)) for item in items]
    in_use = {place for each in places for place, used in each.items() if used}
    return [tuple(place for place in each if place in in_use) for each in places]


def _places(item: pytest.Item) -> Iterator[tuple[Hashable, bool]]:
    """Where a test stands, outermost first, and whether it shares something there."""
    # pytest offers this to nobody but itself; without it a module is taken for shared.
    info = getattr(item, "_fixtureinfo", None)
    fixtures = getattr(info, "name2fixturedefs", {})
    used = [known[-1] for known in fixtures.values() if known]
    for scope in _SCOPES:
        mine = [fixture for fixture in used if fixture.scope == scope]
        if scope == "package":
            yield from ((("package", fixture.baseid), True) for fixture in mine)
        elif scope == "module" and (module := item.getparent(pytest.Module)):
            yield module, bool(mine) or info is None
        elif scope == "class" and (cls := item.getparent(pytest.Class)):
            yield cls, bool(mine)
        yield from _parameters(item, scope)


def _parameters(item: pytest.Item, scope: str) -> Iterator[tuple[Hashable, bool]]:
    callspec = getattr(item, "callspec", None)
    for name, of in getattr(callspec, "_arg2scope", {}).items():
        if callspec is not None and of.value == scope:
            yield (scope, name, callspec.indices[name]), True
