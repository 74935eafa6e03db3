"""The models of one pytest process: obtain, write down, skip or fail."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from pytest_potmodels.artifacts import LoadedModel, ModelRequest, StoredModel
from pytest_potmodels.errors import PotModelsError, UnavailableError, UsageError
from pytest_potmodels.fallback import ASKED_FOR, Obtained, obtain
from pytest_potmodels.session import ledger
from pytest_potmodels.session.devices import device_for
from pytest_potmodels.session.pipeline import SessionPipeline
from pytest_potmodels.session.requests import Wish, requirements, wish_for
from pytest_potmodels.session.skipping import WithoutModel

if TYPE_CHECKING:
    from pytest_potmodels.session.onnx_form import OnnxForms

Announce = Callable[[LoadedModel], None]
#: Makes a model of a folder with its files.
Build = Callable[[Path], Any]


class ModelSession:
    """What the fixtures of one process share."""

    def __init__(
        self,
        pipeline: SessionPipeline,
        *,
        worker: str = "",
        announce: Announce,
        scratch: Callable[[], Path],
    ) -> None:
        self.pipeline = pipeline
        self.settings = pipeline.settings
        self._worker = worker
        self._announce = announce
        self._scratch = scratch
        self._shared: dict[ModelRequest, Obtained] = {}
        self._sharing = threading.Lock()

    def for_fixture(self, item: pytest.Item, fixture: str) -> LoadedModel:
        """A pristine model for a fixture of a test; skips or fails the test if it may have none."""
        return self.obtain(item, self._wish(item, fixture))

    def obtain(self, item: pytest.Item | None, wish: Wish) -> LoadedModel:
        """A pristine model, with its row in the ledger."""
        started = time.perf_counter()
        return self._hand_out(item, wish, self._obtained(item, wish), started)

    def shared(self, item: pytest.Item | None, wish: Wish) -> LoadedModel:
        """One object for all who ask for the same model, with a row for each test that does."""
        started = time.perf_counter()
        same = replace(wish.request, asked="")
        with self._sharing:
            got = self._shared.get(same)
            if got is not None and not (wish.required and got.substitute):
                return self._hand_out(item, wish, got, None)
            got = self._shared[same] = self._obtained(item, wish)
        return self._hand_out(item, wish, got, started)

    def build(self, item: pytest.Item | None, wish: Wish, build: Build) -> LoadedModel:
        """A copy of what the user's own callable makes of the real model's folder."""
        started = time.perf_counter()
        stored = replace(self._files(item, wish), kind=wish.request.kind)
        device = device_for(self.settings.device, self._worker)
        model = self.pipeline.build(stored, build, self._scratch(), device=device)
        return self._hand_out(item, wish, Obtained(model), started)

    def _obtained(self, item: pytest.Item | None, wish: Wish) -> Obtained:
        try:
            return obtain(
                self._onnx.way(wish.form) if wish.form else self.pipeline,
                wish.request,
                mock=self.settings.mock,
                required=wish.required,
                device=device_for(self.settings.device, self._worker, form=wish.form),
            )
        except PotModelsError as error:
            self._refuse(item, wish, error)

    @cached_property
    def _onnx(self) -> "OnnxForms":
        """The same models as ONNX; most runs use none."""
        from pytest_potmodels.session.onnx_form import OnnxForms  # noqa: PLC0415

        return OnnxForms(self.pipeline, self.pipeline.say)

    def path(self, item: pytest.Item | None, wish: Wish) -> Path:
        """The folder of a model's files, fetched if need be; never a mock."""
        return self._files(item, wish).path

    def require(self, item: pytest.Item) -> None:
        """Have what the test's `requires_model` marks demand, or skip or fail it."""
        for wish in requirements(item, self.pipeline.catalog):
            if self.settings.mock == "always":
                self.obtain(item, wish)  # Refuses, and says why.
            self._had(item, wish, self.pipeline.have)

    def note_changes(self, item: pytest.Item) -> None:
        """Write down what the test has changed in its models, while it still holds them."""
        for model, what in self.pipeline.originals.changes():
            ledger.write_change(item, ledger.Change(item.nodeid, model, what))

    def settle(self) -> None:
        """The test is over: what it wrote is put back."""
        self.pipeline.originals.settle()

    def _wish(self, item: pytest.Item, fixture: str) -> Wish:
        return wish_for(item, fixture, self.pipeline.catalog, self.settings.preset)

    def _files(self, item: pytest.Item | None, wish: Wish) -> StoredModel:
        if wish.request.id.source == "mock":
            raise UsageError(f"{wish.request.asked} is a mock, and has no files.")
        return self._had(item, wish, self.pipeline.acquire)

    def _had(
        self, item: pytest.Item | None, wish: Wish, get: Callable[[ModelRequest], StoredModel]
    ) -> StoredModel:
        try:
            stored = get(wish.request)
        except PotModelsError as error:
            self._refuse(item, wish, error)
        outcome = ledger.MOCK_ASKED if stored.format == "mock" else ledger.REAL
        facts = {"revision": stored.revision or "", "digest": stored.digest}
        self._write(item, replace(wish, form=""), outcome, **facts)
        return stored

    def _refuse(self, item: pytest.Item | None, wish: Wish, error: PotModelsError) -> NoReturn:
        """Skip on a desk, fail in CI; wrong bytes and unknown names fail everywhere."""
        reason = error.reason if isinstance(error, UnavailableError) else type(error).__name__
        may_skip = isinstance(error, UnavailableError) and error.substitutable
        skip = may_skip and self.settings.missing == "skip"
        outcome = ledger.SKIPPED if skip else ledger.FAILED
        self._write(item, wish, outcome, reason=reason, why=error.message)
        if not skip:
            raise error
        text = f"{wish.request.asked} [{reason}]: {error.message}"
        raise WithoutModel(f"{text} To mend it: {error.remedy}" if error.remedy else text)

    def _hand_out(
        self, item: pytest.Item | None, wish: Wish, got: Obtained, started: float | None
    ) -> LoadedModel:
        model = got.model
        seconds = time.perf_counter() - started if started is not None else 0.0
        self._write(
            item,
            wish,
            _outcome(got),
            model=str(model.id),
            revision=model.revision or "",
            digest=model.digest,
            reason=got.substitute,
            why=got.why or _reservations(model),
            load_seconds=round(seconds, 4),
            memory_mb=round(model.memory_mb, 1),
            source=model.source,
        )
        self._announce(model)
        return model

    def _write(self, item: pytest.Item | None, wish: Wish, outcome: str, **facts: Any) -> None:
        if item is None:
            return
        asked = wish.request
        known = {"asked": asked.asked, "model": str(asked.id), "kind": asked.kind}
        known["form"] = wish.form
        attempt = ledger.attempt_of(item)
        row = ledger.Row(test=item.nodeid, attempt=attempt, outcome=outcome, **{**known, **facts})
        ledger.write(item, row)


def _reservations(model: LoadedModel) -> str:
    """What a real model has against it: a head that nobody has trained; a slow copy."""
    drawn = () if model.is_mock else model.config.get("newly_initialised", ())
    said = [f"drawn at random: {', '.join(drawn)}"] if drawn else []
    return "; ".join([*said, f"not mapped: {model.not_mapped}"] if model.not_mapped else said)


def _outcome(got: Obtained) -> str:
    if got.substitute:
        return ledger.MOCK_ASKED if got.substitute == ASKED_FOR else ledger.MOCK
    return ledger.MOCK_ASKED if got.model.is_mock else ledger.REAL
