"""`--pot-affinity`: tests of one model run after each other.

Fewer models are then in use at a time, in one process and in each worker of pytest-xdist. The
order is stable and follows from the collected tests alone, so all workers have the same.
"""

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import pytest

from pytest_potmodels.session.plan import Plan
from pytest_potmodels.session.shared_fixtures import shared_by

_NONE = -1


@dataclass(frozen=True, eq=False)
class _Test:
    item: pytest.Item
    #: Where the test's model stands among all models; -1 for none.
    rank: int
    shared: tuple[Hashable, ...]


def by_model(items: Sequence[pytest.Item], plan: Plan) -> list[pytest.Item]:
    """The tests in a stable order by model; those without one first, while models are fetched.

    Tests that share a fixture of module, class or package scope stay together: they move as one,
    and are sorted among themselves.
    """
    ranks: dict[Hashable, int] = {frozenset(): _NONE}
    tests = []
    for item, shared in zip(items, shared_by(items), strict=True):
        rank = ranks.setdefault(frozenset(plan.of(item)), len(ranks) - 1)
        tests.append(_Test(item, rank, shared))
    return [test.item for test in _arranged(tests, 0)]


def _arranged(tests: Iterable[_Test], depth: int) -> list[_Test]:
    blocks: dict[Hashable, list[_Test]] = {}
    for test in tests:
        key = test.shared[depth] if depth < len(test.shared) else test
        blocks.setdefault(key, []).append(test)
    inner = [_arranged(block, depth + 1) if len(block) > 1 else block for block in blocks.values()]
    return [test for block in sorted(inner, key=_first_and_last) for test in block]


def _first_and_last(block: Sequence[_Test]) -> tuple[int, int]:
    """A block of two models goes between the tests of the one and those of the other."""
    with_model = [test.rank for test in block if test.rank != _NONE]
    return (with_model[0], with_model[-1]) if with_model else (_NONE, _NONE)


def add_groups(items: Iterable[pytest.Item], plan: Plan) -> None:
    """Mark tests of one model as one group for `--dist=loadgroup`; a mark of the user's stays.

    pytest-xdist 3.8.0 writes the group where pytest 9.2 does not look any more, and then runs the
    tests ungrouped, the user's own groups included.
    """
    for item in items:
        models = sorted({str(files[0]) for files in plan.of(item)})
        if models and item.get_closest_marker("xdist_group") is None:
            # xdist finds the name behind the last "@" after the last "]" of the node id.
            item.add_marker(pytest.mark.xdist_group(re.sub(r"[@\]]", "-", "+".join(models))))
