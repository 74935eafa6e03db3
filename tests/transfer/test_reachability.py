import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.transfer.policy import TransferPolicy
from pytest_potmodels.transfer.reachability import Reachability

CHILD = Path(__file__).with_name("child_ensure.py")


def _processes(tmp_path: Path, url: str, *, hang: bool = False) -> tuple[list[str], float, int]:
    """Four processes at once: what they heard, the seconds it took them all, the lookups made."""
    diary = tmp_path / "diary"
    command = [sys.executable, str(CHILD), str(tmp_path / "session"), url, str(diary)]
    children = [
        subprocess.Popen(
            command + ["hang"] * hang, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    lines = _told_to_go(children)
    times = [tuple(map(float, line.split(" ", 2)[:2])) for line in lines]
    took = max(end for _, end in times) - min(start for start, _ in times)
    heard = [line.split(" ", 2)[2] for line in lines]
    return heard, took, len(diary.read_text().splitlines())


def _told_to_go(children: list[subprocess.Popen[str]]) -> list[str]:
    # One thread each: `communicate` in turn would start them one after the other.
    lines: list[str] = []

    def talk(child: subprocess.Popen[str]) -> None:
        lines.append(child.communicate("go\n", timeout=60)[0])

    threads = [threading.Thread(target=talk, args=(child,)) for child in children]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return lines


def test_four_processes_are_offline_within_five_seconds_after_one_probe(tmp_path: Path) -> None:
    heard, took, lookups = _processes(tmp_path, "https://hub.example/x", hang=True)
    assert lookups == 1
    assert took < 5
    assert len(set(heard)) == 1
    assert "offline hub.example is not reachable: the lookup of its name" in heard[0]


def test_a_black_hole_is_decided_once_for_four_processes(tmp_path: Path, black_hole: str) -> None:
    heard, took, lookups = _processes(tmp_path, f"http://{black_hole}/x")
    assert lookups <= 4  # one per round of the one probe
    assert took < 5
    assert len(set(heard)) == 1
    assert "timed out" in heard[0]


def test_reachable_is_shared_too(tmp_path: Path, silent_server: str) -> None:
    heard, _, lookups = _processes(tmp_path, f"{silent_server}/x")
    assert heard == ["reachable\n"] * 4
    assert lookups == 1


def test_a_refused_port_is_offline_and_says_what_was_tried(closed_port: int) -> None:
    reachability = Reachability(TransferPolicy())
    with pytest.raises(UnavailableError) as caught:
        reachability.ensure(f"http://127.0.0.1:{closed_port}/x")
    error = caught.value
    assert error.reason is Reason.OFFLINE
    assert f"127.0.0.1:{closed_port} is not reachable" in error.message
    assert "connection refused" in error.message
    assert "UTC" in error.message
    assert "--pot-offline" in error.remedy


def test_a_verdict_stands_even_if_the_host_comes_back(closed_port: int, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{closed_port}/x"
    with pytest.raises(UnavailableError) as first:
        Reachability(TransferPolicy(session_dir=tmp_path)).ensure(url)
    with pytest.raises(UnavailableError) as second:
        Reachability(TransferPolicy(session_dir=tmp_path)).ensure(url)
    assert first.value.message == second.value.message  # the same moment of decision


def test_the_proxy_is_what_must_be_reachable(
    monkeypatch: pytest.MonkeyPatch, closed_port: int, silent_server: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://me:pass@127.0.0.1:{closed_port}")
    with pytest.raises(UnavailableError, match=r"the proxy for hub\.example") as caught:
        Reachability(TransferPolicy()).ensure("http://hub.example/x")
    assert "pass" not in str(caught.value)
    monkeypatch.setenv("HTTP_PROXY", silent_server)
    Reachability(TransferPolicy()).ensure("http://hub.example/x")


def test_a_closed_network_asks_nobody(tmp_path: Path) -> None:
    policy = TransferPolicy(blocked="--pot-network=block", session_dir=tmp_path)
    with pytest.raises(UnavailableError, match="--pot-network=block") as caught:
        Reachability(policy).ensure("http://127.0.0.1:1/x")
    assert caught.value.reason is Reason.OFFLINE
    assert list(tmp_path.iterdir()) == []


def test_a_silent_host_is_given_up_for_all(silent_server: str, tmp_path: Path) -> None:
    policy = TransferPolicy(session_dir=tmp_path)
    ours, theirs = Reachability(policy), Reachability(policy)
    theirs.ensure(silent_server)
    ours.condemn(silent_server, "no answer within 10 s", Reason.TIMEOUT, 60.0)
    with pytest.raises(UnavailableError, match="no answer within 10 s") as caught:
        theirs.ensure(silent_server)
    assert caught.value.reason is Reason.TIMEOUT


def test_a_host_that_answered_another_thread_is_not_given_up(silent_server: str) -> None:
    reachability = Reachability(TransferPolicy())
    reachability.answered(silent_server)
    reachability.condemn(silent_server, "no answer", Reason.TIMEOUT, 60.0)
    reachability.ensure(silent_server)
