"""The ONNX files that a test's fixtures yield, made before the time of the test counts."""

import logging

import pytest

from pytest_potmodels.errors import PotModelsError
from pytest_potmodels.fallback import mock_request
from pytest_potmodels.session.alike import fixtures_of
from pytest_potmodels.session.onnx_form import OnnxForms
from pytest_potmodels.session.pipeline import SessionPipeline
from pytest_potmodels.session.requests import ONNX, Wish, wish_for

_log = logging.getLogger(__name__)


class OnnxAhead:
    """Makes what the fixtures of tests will ask for, each once in this process."""

    def __init__(self, pipeline: SessionPipeline) -> None:
        self._pipeline = pipeline
        self._tried: set[Wish] = set()

    def ready(self, item: pytest.Item) -> None:
        """Return when the files are there, or cannot be made: the test's own try says why."""
        for fixture in fixtures_of(item):
            if fixture.endswith(ONNX):
                try:
                    self._make(item, fixture)
                except PotModelsError as error:
                    _log.debug("%s of %s: %s", fixture, item.nodeid, error)
                # Out here, an error would end the run.
                except Exception:  # noqa: BLE001
                    _log.debug("%s of %s", fixture, item.nodeid, exc_info=True)

    def _make(self, item: pytest.Item, fixture: str) -> None:
        settings = self._pipeline.settings
        wish = wish_for(item, fixture, self._pipeline.catalog, settings.preset)
        if wish in self._tried:
            return
        self._tried.add(wish)
        request = wish.request
        if settings.mock == "always":
            request = mock_request(request)
        OnnxForms(self._pipeline.beforehand(), self._pipeline.say).make(request, wish.form)
