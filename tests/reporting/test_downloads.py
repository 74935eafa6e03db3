"""Lines about long downloads that a test waits for, and about nothing else."""

import threading
import time

from pytest_potmodels.reporting.downloads import DownloadLines
from pytest_potmodels.transfer.progress import Progress


def test_a_line_every_five_seconds_and_none_for_a_short_download() -> None:
    now = [0.0]
    said: list[str] = []
    tell = DownloadLines(said.append, clock=lambda: now[0])
    with tell.shown():
        for second in range(13):
            now[0] = float(second)
            tell(Progress("model.safetensors", second * 10**7, 438 * 10**6, "moving"))
        tell(Progress("config.json", 0, 600, "started"))
        tell(Progress("config.json", 600, 600, "done"))
    assert said == [
        "potmodels: fetching model.safetensors: 50 of 438 MB",
        "potmodels: fetching model.safetensors: 100 of 438 MB",
    ]


def test_a_retry_and_an_unknown_size_are_told() -> None:
    now = [0.0]
    said: list[str] = []
    tell = DownloadLines(said.append, clock=lambda: now[0])
    with tell.shown():
        tell(Progress("a.pth", 0, None, "started"))
        now[0] = 6.0
        tell(Progress("a.pth", 10**6, None, "retrying"))
    assert said == ["potmodels: trying again to fetch a.pth: 1 MB"]


def test_files_of_the_same_name_are_told_apart_by_their_model() -> None:
    now = [0.0]
    said: list[str] = []
    tell = DownloadLines(said.append, clock=lambda: now[0])
    with tell.shown():
        tell(Progress("model.safetensors", 0, 10**7, "started", "bert"))
        now[0] = 4.0
        tell(Progress("model.safetensors", 0, 10**7, "started", "org/other"))
        now[0] = 6.0
        tell(Progress("model.safetensors", 10**6, 10**7, "moving", "org/other"))
        tell(Progress("model.safetensors", 10**6, 10**7, "moving", "bert"))
    assert said == ["potmodels: fetching bert model.safetensors: 1 of 10 MB"]


def test_nothing_is_written_while_no_test_waits() -> None:
    now = [0.0]
    said: list[str] = []
    tell = DownloadLines(said.append, clock=lambda: now[0])
    tell(Progress("a.pth", 0, 10**7, "started"))
    now[0] = 20.0
    tell(Progress("a.pth", 10**6, 10**7, "moving"))
    assert said == []
    with tell.shown():
        tell(Progress("a.pth", 2 * 10**6, 10**7, "moving"))  # Long enough since it began.
    tell(Progress("a.pth", 10**7, 10**7, "done"))
    assert said == ["potmodels: fetching a.pth: 2 of 10 MB"]


def test_who_waits_goes_on_only_when_a_line_is_whole() -> None:
    begun, said = threading.Event(), []
    now = [0.0]

    def write(line: str) -> None:
        begun.set()
        time.sleep(0.2)
        said.append(line)

    tell = DownloadLines(write, clock=lambda: now[0])
    tell(Progress("a.pth", 0, 10**7, "started"))
    now[0] = 20.0
    event = Progress("a.pth", 10**6, 10**7, "moving")
    thread = threading.Thread(target=tell, args=(event,))
    with tell.shown():
        thread.start()
        assert begun.wait(10)
    assert said == ["potmodels: fetching a.pth: 1 of 10 MB"]
    thread.join()


def test_another_line_is_shown_to_who_waits_and_to_nobody_else() -> None:
    said: list[str] = []
    tell = DownloadLines(said.append)
    tell.say("too early")
    with tell.shown():
        tell.say("making a file")
    assert said == ["potmodels: making a file"]
