from pathlib import PurePosixPath

import pytest

from pytest_potmodels.artifacts import RemoteFile
from pytest_potmodels.errors import ModelTooLargeError, Reason
from pytest_potmodels.transfer.size_limit import SizeLimit


def _file(path: str, size: int | None) -> RemoteFile:
    return RemoteFile(PurePosixPath(path), "https://hub/x", size)


def test_stated_sizes_count_together() -> None:
    with pytest.raises(ModelTooLargeError, match=r"3\.0 GB .*2\.5 GB") as caught:
        SizeLimit([_file("a", 2 * 10**9), _file("b", 10**9)], 25 * 10**8)
    assert caught.value.reason is Reason.TOO_LARGE
    assert "--pot-max-size=3GB" in caught.value.remedy


def test_what_is_learned_on_the_way_counts_once_per_file() -> None:
    limit = SizeLimit([_file("a", None), _file("b", 50)], 100)
    for size in (10, 30, 50):
        limit.grow("a", size)
    limit.grow("b", 20)
    with pytest.raises(ModelTooLargeError, match="--pot-max-size"):
        limit.grow("a", 51)


def test_a_rounded_size_counts_until_the_server_states_its_own() -> None:
    limit = SizeLimit([RemoteFile(PurePosixPath("a"), "https://hub/x", size_hint=100)], 100)
    limit.state("a", 60)
    limit.grow("a", 50)
    with pytest.raises(ModelTooLargeError, match="101 bytes"):
        limit.state("a", 101)
    with pytest.raises(ModelTooLargeError):
        SizeLimit([RemoteFile(PurePosixPath("a"), "https://hub/x", size_hint=200)], 100)


def test_without_a_limit_anything_goes() -> None:
    SizeLimit([_file("a", 10**15)], None).grow("a", 10**16)
