"""What processes of one session tell each other. Two objects over one folder are two processes."""

import threading
import time
from pathlib import Path

import pytest

from pytest_potmodels.errors import (
    DigestMismatchError,
    MissingPackageError,
    ModelTooLargeError,
    PotModelsError,
    Reason,
    StoreError,
    UnavailableError,
    UnknownNameError,
)
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.session.attempts import Attempts
from pytest_potmodels.session.plan import Files

FILES: Files = (ModelId("huggingface", "org/model"), None, None, None)
OTHER: Files = (ModelId("huggingface", "org/model", "v1"), None, None, None)
ERRORS = [
    UnavailableError("gone", reason=Reason.OFFLINE, remedy="wait"),
    ModelTooLargeError("large", remedy="--pot-max-size=6GB"),
    MissingPackageError("no torch"),
    DigestMismatchError("wrong", expected="a", found="b"),
    StoreError("full"),
    UnknownNameError("model", "bret", ["bert"]),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_failure_reaches_the_other_processes_whole(tmp_path: Path, error: PotModelsError) -> None:
    Attempts(tmp_path).remember(FILES, error)
    heard = Attempts(tmp_path).failure(FILES)
    assert type(heard) is type(error)
    assert vars(heard) == vars(error)
    assert str(heard) == str(error)
    assert getattr(heard, "reason", None) is getattr(error, "reason", None)
    assert Attempts(tmp_path).failure(OTHER) is None


@pytest.mark.parametrize("shared", [False, True])
def test_each_who_hears_gets_an_error_of_its_own(tmp_path: Path, *, shared: bool) -> None:
    attempts = Attempts(tmp_path if shared else None)
    attempts.remember(FILES, ERRORS[0])
    first, second = attempts.failure(FILES), attempts.failure(FILES)
    assert first is not second
    assert first is not ERRORS[0]
    assert str(first) == str(ERRORS[0])


def test_a_record_that_cannot_be_read_is_no_failure(tmp_path: Path) -> None:
    Attempts(tmp_path).remember(FILES, ERRORS[0])
    (record,) = tmp_path.glob("*.json")
    for text in ("", "[]", '{"class": "SystemExit", "facts": {}}', '{"class": "StoreError"}'):
        record.write_text(text)
        assert Attempts(tmp_path).failure(FILES) is None


def test_one_leads_and_the_next_when_it_gives_up(tmp_path: Path) -> None:
    first, second = Attempts(tmp_path), Attempts(tmp_path)
    assert first.take_lead(wait=False)
    assert not second.take_lead(wait=False)
    first.give_up_lead()
    assert second.take_lead(wait=False)
    second.give_up_lead()
    second.give_up_lead()


def test_who_waits_leads_when_the_first_is_done(tmp_path: Path) -> None:
    first = Attempts(tmp_path)
    assert first.take_lead(wait=False)
    took = threading.Event()

    def wait() -> None:
        second = Attempts(tmp_path)
        second.take_lead(wait=True)
        took.set()
        second.give_up_lead()

    thread = threading.Thread(target=wait)
    thread.start()
    assert not took.wait(0.3)
    first.give_up_lead()
    assert took.wait(20)
    thread.join()


def test_alone_means_no_other_process(tmp_path: Path) -> None:
    inside, stop = threading.Event(), threading.Event()

    def enter(files: Files) -> None:
        with Attempts(tmp_path).alone(files, stop):
            inside.set()

    with Attempts(tmp_path).alone(FILES, stop):
        other = threading.Thread(target=enter, args=(OTHER,))
        other.start()
        assert inside.wait(20)  # Another model is none of our business.
        inside.clear()
        same = threading.Thread(target=enter, args=(FILES,))
        same.start()
        assert not inside.wait(0.3)
    assert inside.wait(20)
    other.join()
    same.join()


def test_who_is_stopped_waits_no_longer(tmp_path: Path) -> None:
    stop = threading.Event()

    def enter() -> None:
        with Attempts(tmp_path).alone(FILES, stop):
            pass

    with Attempts(tmp_path).alone(FILES, threading.Event()):
        thread = threading.Thread(target=enter)
        thread.start()
        time.sleep(0.2)
        stop.set()
        thread.join(20)
        assert not thread.is_alive()


def test_a_folder_that_is_gone_stops_nobody(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path / "file" / "gone")
    (tmp_path / "file").write_text("in the way")
    assert not attempts.take_lead(wait=False)
    with attempts.alone(FILES, threading.Event()):
        attempts.remember(FILES, ERRORS[0])
    assert str(attempts.failure(FILES)) == str(ERRORS[0])
