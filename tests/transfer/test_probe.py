import socket
import subprocess
import sys
import time

from pytest_potmodels.transfer.probe import probe


def test_a_listening_port_is_reachable(silent_server: str) -> None:
    assert probe("127.0.0.1", int(silent_server.rpartition(":")[2])) == ""


def test_a_refused_port_is_tried_more_than_once(closed_port: int) -> None:
    said = probe("127.0.0.1", closed_port)
    assert "connection refused" in said
    assert "3 tries" in said


def test_a_service_that_is_just_starting_is_found(closed_port: int) -> None:
    late = (
        "import socket, sys, time; time.sleep(0.3); s = socket.socket();"
        f"s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1);"
        f"s.bind(('127.0.0.1', {closed_port})); s.listen(); time.sleep(10)"
    )
    for _ in range(5):  # the child may start too late for one probe
        with subprocess.Popen([sys.executable, "-c", late]) as child:
            said = probe("127.0.0.1", closed_port)
            child.kill()
        if said == "":
            return
    raise AssertionError(said)


def test_a_black_hole_is_left_in_time(black_hole: str) -> None:
    host, _, port = black_hole.partition(":")
    started = time.monotonic()
    said = probe(host, int(port))
    assert "timed out" in said
    assert time.monotonic() - started < 5


def test_a_name_that_does_not_exist_is_said_so() -> None:
    said = probe("name.invalid", 443)
    assert "cannot be looked up" in said or "did not return" in said


def test_a_lookup_that_hangs_is_left_behind() -> None:
    hanging = (
        "import socket, time; socket.getaddrinfo = lambda *a, **k: time.sleep(60);"
        "from pytest_potmodels.transfer.probe import probe; started = time.monotonic();"
        "print(probe('hub.example', 443)); print(time.monotonic() - started)"
    )
    child = subprocess.run(
        [sys.executable, "-c", hanging], capture_output=True, text=True, check=True, timeout=30
    )
    said, took = child.stdout.splitlines()
    assert "the lookup of its name (hub.example) did not return" in said
    assert float(took) < 5


def test_the_second_address_family_gets_its_try(silent_server: str) -> None:
    # `localhost` is ::1 first on many systems, and this server is on 127.0.0.1 only.
    assert socket.getaddrinfo("localhost", None)
    assert probe("localhost", int(silent_server.rpartition(":")[2])) == ""
