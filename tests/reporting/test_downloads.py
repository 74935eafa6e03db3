"""Lines about long downloads, and none about short ones."""

from pytest_potmodels.reporting.downloads import DownloadLines
from pytest_potmodels.transfer.progress import Progress


def test_a_line_every_five_seconds_and_none_for_a_short_download() -> None:
    now = [0.0]
    said: list[str] = []
    tell = DownloadLines(said.append, clock=lambda: now[0])
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
    tell(Progress("a.pth", 0, None, "started"))
    now[0] = 6.0
    tell(Progress("a.pth", 10**6, None, "retrying"))
    assert said == ["potmodels: trying again to fetch a.pth: 1 MB"]
