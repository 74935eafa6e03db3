"""A Transfer that is made when it is needed."""

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from standin import StandIn

from pytest_potmodels.artifacts import RemoteFile
from pytest_potmodels.transfer import Deadline, Transfer, TransferPolicy
from pytest_potmodels.transfer.bounded import StoppedError
from pytest_potmodels.transfer.unopened import Unopened


class Maker:
    """Makes transfers, and counts them."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> Transfer:
        self.made += 1
        return Transfer(replace(TransferPolicy(), retries=0, jobs=4), token=lambda: None)


def test_looking_and_stopping_make_none() -> None:
    maker = Maker()
    transfer = Unopened(maker)
    assert transfer.counter.snapshot().requests == 0
    transfer.share(2).stop()
    transfer.stop()
    assert maker.made == 0


def test_what_is_asked_for_is_the_transfers_and_it_is_made_once(
    site: StandIn, tmp_path: Path
) -> None:
    maker = Maker()
    transfer = Unopened(maker)
    file = RemoteFile(PurePosixPath("f"), site.add_download("/f", b"bytes"))
    (stored,) = transfer.fetch_all([file], tmp_path, Deadline(20))
    assert stored.size == 5
    assert transfer.policy.jobs == 4
    assert (maker.made, transfer.counter.snapshot().requests) == (1, 1)


def test_a_share_is_one_of_the_same_network(site: StandIn, tmp_path: Path) -> None:
    transfer = Unopened(Maker())
    share = transfer.share(2)
    assert share.policy.jobs == 2
    file = RemoteFile(PurePosixPath("f"), site.add_download("/f", b"bytes"))
    share.fetch_all([file], tmp_path, Deadline(20))
    assert transfer.counter.snapshot().requests == 1


def test_what_was_stopped_before_it_was_made_stays_stopped(site: StandIn, tmp_path: Path) -> None:
    transfer = Unopened(Maker())
    transfer.stop()
    file = RemoteFile(PurePosixPath("f"), site.add_download("/f", b"bytes"))
    with pytest.raises(StoppedError):
        transfer.fetch_all([file], tmp_path, Deadline(20))
    assert len(site.log) == 0
