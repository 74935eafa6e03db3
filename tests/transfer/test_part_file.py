"""Resuming: within a run, and after one that was killed."""

from typing import Any

import pytest
from standin import NoRange, Stalled, Status, Truncated

from pytest_potmodels.transfer import Deadline

NAME = "model.safetensors"


def test_a_cut_is_resumed_where_it_was(bench: Any) -> None:
    bench.site.fault(Truncated(at=300_000), NAME, server="cdn")
    assert bench.fetch() == bench.weights
    assert bench.site.log.bytes_sent(NAME) == len(bench.weights)
    assert bench.ranges() == [None, "bytes=300000-"]


def test_a_resume_that_is_answered_in_full_starts_over(bench: Any) -> None:
    bench.site.fault(Truncated(at=100_000), NAME, server="cdn")
    bench.site.fault(NoRange(), NAME, server="cdn")
    assert bench.fetch() == bench.weights
    assert bench.ranges() == [None, "bytes=100000-"]


def test_a_range_that_is_refused_starts_over(bench: Any) -> None:
    bench.site.fault(Truncated(at=100_000), NAME, server="cdn")
    bench.site.fault(Status(416), NAME, server="cdn")
    assert bench.fetch() == bench.weights
    assert bench.ranges() == [None, "bytes=100000-", None]


@pytest.mark.parametrize("content_range", ["bytes 7-9/400000", "nonsense"])
def test_another_range_than_asked_for_is_not_taken(bench: Any, content_range: str) -> None:
    bench.leave(bench.weights[:100_000])
    bench.site.fault(Status(206, headers={"Content-Range": content_range}), NAME, server="cdn")
    assert bench.fetch() == bench.weights
    assert bench.ranges() == ["bytes=100000-", None]


def test_what_a_killed_run_left_is_resumed(bench: Any) -> None:
    bench.leave(bench.weights[:300_000])
    assert bench.fetch() == bench.weights
    assert bench.site.log.bytes_sent(NAME) == 100_000


def test_a_wrong_leftover_is_found_out_and_fetched_from_zero(bench: Any) -> None:
    bench.leave(bytes(300_000))
    assert bench.fetch() == bench.weights
    assert bench.ranges() == ["bytes=300000-", None]


def test_a_leftover_of_full_length_needs_no_request(bench: Any) -> None:
    bench.leave(bench.weights)
    assert bench.fetch() == bench.weights
    assert len(bench.site.log) == 0


def test_a_wrong_leftover_of_full_length_is_fetched_again(bench: Any) -> None:
    bench.leave(bytes(len(bench.weights)))
    assert bench.fetch() == bench.weights
    assert bench.ranges() == [None]


def test_a_leftover_that_is_too_long_is_not_used(bench: Any) -> None:
    bench.leave(bench.weights + b"more")
    assert bench.fetch() == bench.weights
    assert bench.ranges() == [None]


def test_a_leftover_that_is_a_link_is_not_followed(bench: Any) -> None:
    outside = bench.stage.parent / "outside"
    outside.write_bytes(bench.weights[:10])
    bench.stage.mkdir()
    try:
        (bench.stage / f"{NAME}.part").symlink_to(outside)
    except OSError:
        pytest.skip("no symbolic links here")
    assert bench.fetch() == bench.weights
    assert outside.read_bytes() == bench.weights[:10]
    assert not (bench.stage / NAME).is_symlink()


def test_without_any_digest_the_same_version_is_resumed(bench: Any) -> None:
    file = bench.plain(bench.weights)
    bench.site.fault(Stalled(at=262_144), "/f.bin", times=None)
    bench.fails(file, retries=0, read_timeout=0.5)
    bench.site.heal()
    assert bench.fetch(file) == bench.weights
    assert bench.site.log.bytes_sent("/f.bin") == len(bench.weights)


def test_without_any_digest_another_version_is_fetched_from_zero(bench: Any) -> None:
    file = bench.plain(bench.weights)
    bench.site.fault(Stalled(at=200_000), "/f.bin", times=None)
    bench.fails(file, retries=0, read_timeout=0.5)
    bench.site.heal()
    newer = bytes(reversed(bench.weights))
    assert bench.fetch(bench.plain(newer)) == newer
    last = list(bench.site.log)[-1]
    assert last.status == 200
    assert last.headers["if-range"]


def test_a_leftover_of_an_unknown_version_is_not_trusted(bench: Any) -> None:
    bench.stage.mkdir()
    (bench.stage / "f.bin.part").write_bytes(bytes(1000))
    assert bench.fetch(bench.plain(bench.weights)) == bench.weights
    assert "range" not in list(bench.site.log)[-1].headers


def test_a_finished_file_is_used_after_hashing(bench: Any) -> None:
    bench.fetch()
    bench.site.log.clear()
    assert bench.fetch() == bench.weights
    assert len(bench.site.log) == 0


def test_a_finished_file_that_has_changed_is_fetched_again(bench: Any) -> None:
    bench.fetch()
    (bench.stage / NAME).write_bytes(bytes(len(bench.weights)))
    assert bench.fetch() == bench.weights


def test_a_url_is_kept_without_its_secrets(bench: Any) -> None:
    bench.site.add_download("/f.bin", b"x")
    file = bench.plain(b"x")
    host = bench.site.downloads.url.removeprefix("http://")
    secret = f"http://me:pass@{host}/f.bin?id=5&Signature=abc"
    stored = bench.transfer().fetch_all([type(file)(file.path, secret)], bench.stage, Deadline(20))[
        0
    ]
    assert stored.url == f"http://{host}/f.bin?id=5"
