import pytest

from pytest_potmodels.errors import UnavailableError
from pytest_potmodels.transfer import Deadline
from pytest_potmodels.transfer.bounded import StoppedError
from pytest_potmodels.transfer.scope import CancelScope


def test_a_scope_passes_until_it_is_stopped() -> None:
    scope = CancelScope(Deadline(60))
    scope.check("a file")
    scope.stop()
    with pytest.raises(StoppedError):
        scope.check("a file")


def test_a_scope_ends_with_its_deadline() -> None:
    with pytest.raises(UnavailableError, match="a file"):
        CancelScope(Deadline(0)).check("a file")
