import threading
import time
from pathlib import Path

from pytest_potmodels.errors import Reason
from pytest_potmodels.transfer.verdicts import Verdict, Verdicts


def test_a_verdict_is_shared_through_the_folder(tmp_path: Path) -> None:
    verdict = Verdict.now("hub.example", "connection refused", Reason.TIMEOUT)
    Verdicts(tmp_path).put(verdict)
    assert Verdicts(tmp_path).get("hub.example") == verdict
    assert Verdicts(tmp_path).get("cdn.example") is None


def test_without_a_folder_it_stays_here() -> None:
    verdicts = Verdicts(None)
    verdicts.put(Verdict.now("hub.example"))
    known = verdicts.get("hub.example")
    assert known is not None
    assert known.reachable
    assert Verdicts(None).get("hub.example") is None


def test_a_later_verdict_of_another_process_counts(tmp_path: Path) -> None:
    ours, theirs = Verdicts(tmp_path), Verdicts(tmp_path)
    ours.put(Verdict.now("hub.example"))
    theirs.put(Verdict.now("hub.example", "silent"))
    known = ours.get("hub.example")
    assert known is not None
    assert not known.reachable


def test_an_unreadable_file_is_no_verdict(tmp_path: Path) -> None:
    verdicts = Verdicts(tmp_path)
    verdicts.put(Verdict.now("hub.example"))
    for file in tmp_path.glob("*.json"):
        file.write_text('{"place": 1')
    assert Verdicts(tmp_path).get("hub.example") is None
    assert verdicts.get("hub.example") is not None


def test_a_folder_that_cannot_be_made_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    verdicts = Verdicts(tmp_path / "file" / "session")
    with verdicts.deciding("hub.example", timeout=1):
        verdicts.put(Verdict.now("hub.example"))
    assert verdicts.get("hub.example") is not None


def test_threads_decide_one_after_the_other() -> None:
    verdicts = Verdicts(None)
    decided: list[str] = []

    def decide() -> None:
        with verdicts.deciding("hub.example", timeout=5):
            if verdicts.get("hub.example") is None:
                time.sleep(0.05)
                decided.append("once")
                verdicts.put(Verdict.now("hub.example"))

    threads = [threading.Thread(target=decide) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert decided == ["once"]
