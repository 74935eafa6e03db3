"""Before the first test: plan, fetch in the background, and close the network if asked to."""

from collections.abc import Callable

import pytest

from pytest_potmodels.artifacts import ModelRequest
from pytest_potmodels.errors import MissingPackageError, StoreError
from pytest_potmodels.identifiers import IN_PLACE
from pytest_potmodels.loading import require_packages
from pytest_potmodels.pipeline import format_of
from pytest_potmodels.session.cached import is_absent
from pytest_potmodels.session.pipeline import SessionPipeline
from pytest_potmodels.session.plan import Need, Plan, files_of, require_onnx
from pytest_potmodels.settings.values import Settings

#: Sources whose models need no network and no copy.
_WHERE_IT_LIES = frozenset({*IN_PLACE, "mock"})


class Ahead:
    """What one process does about the models of its tests before they run.

    Args:
        plan: what the tests need.
        settings: all options.
        pipeline: opens the way to the models; only called where there is something to do.
    """

    def __init__(
        self, plan: Plan, settings: Settings, pipeline: Callable[[], SessionPipeline]
    ) -> None:
        self.plan = plan
        self._open = pipeline
        self._before_tests_only = settings.network == "warm"
        fetches = not settings.closed_by and settings.mock != "always"
        wanted = [need for need in plan.needs if _is_fetched(need, settings)] if fetches else []
        self._requests = {files_of(need.request): need.request for need in wanted}

    def begin(self) -> None:
        """Fetch what is missing in the background, unless another worker does."""
        if self._before_tests_only:
            return  # `complete` does it.
        missing = [request for request in self._requests.values() if self._is_missing(request)]
        if missing and self._open().attempts.take_lead(wait=False):
            self._open().prefetch(missing)

    def complete(self) -> None:
        """With `network=warm`: have all models, as far as they can be had; close the network."""
        if not self._before_tests_only:
            return
        # The first worker that comes here fetches them; the others find them, or hear why not.
        self._open().attempts.take_lead(wait=True)
        try:
            self._open().ready(self._requests.values())
        finally:
            self._open().attempts.give_up_lead()
        self._open().close_network(files_of(need.request) for need in self.plan.needs)

    def ready(self, item: pytest.Item) -> None:
        """Return when the models of a test are here, or cannot be had."""
        wanted = [self._requests[each] for each in self.plan.of(item) if each in self._requests]
        if wanted:
            self._open().ready(wanted)

    def _is_missing(self, request: ModelRequest) -> bool:
        try:
            return is_absent(self._open().store, request)
        except StoreError:
            return False  # The test's own try says what is wrong.


def _is_fetched(need: Need, settings: Settings) -> bool:
    """Whether a model comes over the network, and somebody here can use it."""
    source = need.request.id.source
    if source in _WHERE_IT_LIES or source in settings.disabled_sources:
        return False
    known = format_of(need.request)
    try:
        if known is not None:
            require_packages(known)
        require_onnx(need.forms)
    except MissingPackageError:
        return need.by_mark  # Its files may be wanted even so.
    return True
