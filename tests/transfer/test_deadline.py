import pytest

from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.transfer import Deadline


def test_there_is_time_at_first() -> None:
    deadline = Deadline(60)
    deadline.check("a file")
    assert 0 < deadline.remaining() <= 60
    assert not deadline.expired


def test_an_end_names_what_was_under_way_and_what_failed_last() -> None:
    deadline = Deadline(0)
    deadline.note("429 Too Many Requests from hub.example")
    with pytest.raises(UnavailableError, match=r"a file: the 0 s .*429 Too Many") as caught:
        deadline.check("a file")
    assert caught.value.reason is Reason.TIMEOUT
    assert "--pot-timeout" in caught.value.remedy
    assert deadline.remaining() == 0


def test_an_end_without_failures_says_that_it_was_slow() -> None:
    with pytest.raises(UnavailableError, match="it is slow"):
        Deadline(-1).check("a file")
