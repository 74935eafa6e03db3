"""Fixtures of all tests."""

from collections.abc import Iterator

import pytest
from standin import StandIn


@pytest.fixture
def site() -> Iterator[StandIn]:
    """A hub, its CDN and download.pytorch.org on this machine, empty at first."""
    with StandIn() as servers:
        yield servers
