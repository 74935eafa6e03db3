"""Small documents, read into memory."""

from pathlib import Path

import pytest
from machine import Machine
from standin import Dropped, Stalled, StandIn

from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.transfer import Deadline, Transfer

URL = "https://download.pytorch.org/document"
BODY = bytes(range(256)) * 1000


@pytest.fixture
def transfer(site: StandIn, tmp_path: Path) -> Transfer:
    site.add_download("/document", BODY)
    return Machine(site, tmp_path).pipeline().transfer


def test_a_document_comes_whole_through_its_mirror(transfer: Transfer, site: StandIn) -> None:
    site.fault(Dropped(), server="downloads")
    assert transfer.read(URL, Deadline(20), most=len(BODY)) == BODY
    assert transfer.counter.snapshot().requests == 2


def test_one_that_is_longer_than_expected_is_not_read_to_its_end(transfer: Transfer) -> None:
    with pytest.raises(UnavailableError, match="more than") as caught:
        transfer.read(URL, Deadline(20), most=len(BODY) - 1)
    assert caught.value.reason is Reason.SERVER


def test_what_is_enough_is_not_waited_beyond(transfer: Transfer, site: StandIn) -> None:
    site.fault(Stalled(at=1000), server="downloads", times=None)
    body = transfer.read(URL, Deadline(20), most=len(BODY), enough=lambda read: len(read) >= 1000)
    assert body == BODY[:1000]


def test_an_absent_one_is_refused_at_once(transfer: Transfer, site: StandIn) -> None:
    with pytest.raises(UnavailableError) as caught:
        transfer.read(f"{URL}-2", Deadline(20), most=10)
    assert caught.value.reason is Reason.PRIVATE
    assert len(site.log) == 1


def test_a_closed_network_is_not_asked(site: StandIn, tmp_path: Path) -> None:
    transfer = Machine(site, tmp_path).pipeline(closed_by="--pot-offline").transfer
    with pytest.raises(UnavailableError, match="--pot-offline"):
        transfer.read(URL, Deadline(20), most=10)
    assert len(site.log) == 0
