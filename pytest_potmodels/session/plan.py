"""Which models do the selected tests need? Known after collection, before the first test."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from pytest_potmodels import extras
from pytest_potmodels.artifacts import ModelRequest
from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.errors import UsageError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.session.alike import BY_NAME, alike, fixtures_of
from pytest_potmodels.session.requests import BESIDE, FIXTURES, marks_by_kind, wish_for
from pytest_potmodels.session.skipping import will_run

#: What decides which files a request is: however it is called, loaded and used.
Files = tuple[ModelId, str | None, str | None, str | None]


@dataclass(frozen=True)
class Want:
    """A model that a test wants; `by_mark`: its files, whether or not a fixture loads them."""

    request: ModelRequest
    required: bool = False
    by_mark: bool = False
    #: What in the test asks for it, in words.
    because: str = ""
    form: str = ""


@dataclass(frozen=True)
class Need:
    """A model, and all tests that want it."""

    request: ModelRequest
    #: The names by which it is asked for.
    asked: tuple[str, ...]
    tests: tuple[str, ...]
    #: Whether some test accepts the real one only.
    required: bool
    #: Whether some test wants its files, even where what would load them is not installed.
    by_mark: bool
    #: What in the tests asks for it, in words.
    because: tuple[str, ...] = ()
    #: "": the model itself; "onnx", "onnx-int8": as ONNX.
    forms: tuple[str, ...] = ("",)


@dataclass(frozen=True)
class Plan:
    """The models of a run, in the order of the tests that want them."""

    needs: tuple[Need, ...] = ()
    _of: Mapping[pytest.Item, tuple[Files, ...]] = field(default_factory=dict)

    def of(self, item: pytest.Item) -> tuple[Files, ...]:
        """What one test needs."""
        return self._of.get(item, ())


def files_of(request: ModelRequest) -> Files:
    """What two requests share that are answered by the same files."""
    return (request.id, request.weights, request.architecture, request.sha256)


def require_onnx(forms: Collection[str]) -> None:
    """Make sure of ONNX Runtime where all that tests want of a model is its ONNX form.

    Raises:
        MissingPackageError: with the pip line.
    """
    if forms and all(forms):
        extras.require_installed("onnxruntime")


def plan_of(items: Sequence[pytest.Item], catalog: Catalog, default_preset: str) -> Plan:
    """Work out what tests need; tests that their marks skip need nothing."""
    known = _Wants(catalog, default_preset)
    wanted: dict[Files, list[tuple[Want, str]]] = {}
    of: dict[pytest.Item, tuple[Files, ...]] = {}
    for item in items:
        wants = known.of(item)
        if wants and will_run(item):
            of[item] = tuple(dict.fromkeys(files_of(want.request) for want in wants))
            for want in wants:
                wanted.setdefault(files_of(want.request), []).append((want, item.nodeid))
    return Plan(tuple(_need(wants) for wants in wanted.values()), of)


def _need(found: Sequence[tuple[Want, str]]) -> Need:
    return Need(
        request=found[0][0].request,
        asked=tuple(sorted({want.request.asked for want, _ in found})),
        tests=tuple(dict.fromkeys(test for _, test in found)),
        required=any(want.required for want, _ in found),
        by_mark=any(want.by_mark for want, _ in found),
        because=tuple(dict.fromkeys(want.because for want, _ in found if want.because)),
        forms=tuple(dict.fromkeys(want.form for want, _ in found)),
    )


class _Wants:
    """What tests want, worked out once for tests of the same fixtures, marks and place."""

    def __init__(self, catalog: Catalog, default_preset: str) -> None:
        self._catalog = catalog
        self._preset = default_preset
        self._known: dict[Hashable, tuple[Want, ...]] = {}

    def of(self, item: pytest.Item) -> tuple[Want, ...]:
        key = alike(item)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._worked_out(item, fixtures_of(item))
        return known

    def _worked_out(self, item: pytest.Item, used: Sequence[str]) -> tuple[Want, ...]:
        try:
            return tuple(_wants(item, used, self._catalog, self._preset))
        except UsageError:
            return ()  # Of a test that somebody added after marks were checked: it fails by itself.


def _wants(item: pytest.Item, used: Sequence[str], catalog: Catalog, preset: str) -> Iterable[Want]:
    fixtures = [name for name in used if name in FIXTURES]
    yielded = [wish_for(item, name, catalog, preset) for name in fixtures]
    for wish in yielded:
        yield Want(wish.request, wish.required, because=wish.because, form=wish.form)
    had = [wish.request for wish in yielded]
    for marked in marks_by_kind(item, catalog).values():
        # A mark on the test itself names what its body loads, though no fixture says so. One on a
        # class or module may be for its other tests.
        beside = marked.mark.level <= BESIDE and marked.request not in had
        if marked.mark.required or beside or BY_NAME in used:
            required, because = marked.mark.required, marked.because
            yield Want(marked.request, required, by_mark=True, because=because)
