"""What the code of an entry point fetches comes by our rules, or not at all."""

from collections.abc import Callable
from pathlib import Path

import pytest
from machine import Machine
from standin import Dropped, RedirectTo, StandIn

from pytest_potmodels.artifacts import ResolvedModel
from pytest_potmodels.errors import (
    DigestMismatchError,
    ModelTooLargeError,
    Reason,
    StoreError,
    UnavailableError,
)
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.sources.hub_files import HubFiles
from pytest_potmodels.transfer import Deadline

#: Its sha256 begins with 9a129038.
DATA = b"weights"
WEB = "https://download.pytorch.org"
Bring = Callable[..., HubFiles]


@pytest.fixture
def bring(site: StandIn, tmp_path: Path) -> Bring:
    """Brings a file that the code asked for; the model has 100 bytes before it."""
    site.add_download("/x.pth", DATA)

    def bring(
        url: str, path: str = "checkpoints/x.pth", prefix: str = "", **policy: int
    ) -> HubFiles:
        transfer = Machine(site, tmp_path / "cache").pipeline(**policy).transfer
        resolved = ResolvedModel(ModelId("pytorch_hub", "a/b/c"), "vision", "torch_hub")
        files = HubFiles(resolved, tmp_path / "stage", transfer, Deadline(20), beside=100)
        files.bring(url, path, prefix)
        return files

    return bring


def test_a_file_comes_through_the_mirrors_and_outlasts_faults(
    bring: Bring, site: StandIn, tmp_path: Path
) -> None:
    site.fault(Dropped(), server="downloads")
    (file,) = bring(f"{WEB}/x.pth#fragment").all()
    assert (file.path, file.url) == ("checkpoints/x.pth", f"{WEB}/x.pth")
    assert (tmp_path / "stage" / file.path).read_bytes() == DATA
    assert site.log.authorizations() == []


@pytest.mark.parametrize(
    "url",
    [
        "http://weights.example/x.pth",
        "file:///etc/passwd",
        "ftp://weights.example/x.pth",
        "/etc/passwd",
    ],
    ids=["plain", "file", "ftp", "path"],
)
def test_another_way_than_https_is_refused(bring: Bring, url: str) -> None:
    with pytest.raises(UnavailableError, match="files come by https://") as caught:
        bring(url)
    assert caught.value.reason is Reason.NOT_LOADABLE


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "http://weights.example/x"], ids=["file", "http"]
)
def test_no_redirect_leads_off_the_web(bring: Bring, site: StandIn, target: str) -> None:
    site.fault(RedirectTo(target), server="downloads", times=None)
    with pytest.raises(UnavailableError, match="redirect"):
        bring(f"{WEB}/x.pth")


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        ("checkpoints/x-0123abcd.pth", ""),
        ("checkpoints/x.pth", "0123abcd"),
        ("checkpoints/x.pth", "0"),
    ],
)
def test_other_bytes_than_promised_are_a_mismatch(bring: Bring, path: str, prefix: str) -> None:
    with pytest.raises(DigestMismatchError, match="expected sha256-prefix:0"):
        bring(f"{WEB}/x.pth", path, prefix)


@pytest.mark.parametrize("prefix", ["", "9a129038", "9a", "not hex"])
def test_a_date_in_a_name_promises_nothing(bring: Bring, prefix: str) -> None:
    bring(f"{WEB}/x.pth", "checkpoints/x-20240131.pth", prefix)


def test_the_size_limit_is_for_all_of_the_model(bring: Bring) -> None:
    with pytest.raises(ModelTooLargeError, match="107 bytes"):
        bring(f"{WEB}/x.pth", max_bytes=106)
    bring(f"{WEB}/x.pth", max_bytes=107)


def test_what_torch_hub_brought_before_is_taken_from_there(
    bring: Bring, site: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    there = tmp_path / "torch" / "hub" / "checkpoints" / "x-9a129038.pth"
    there.parent.mkdir(parents=True)
    there.write_bytes(DATA)
    bring(f"{WEB}/x.pth", "checkpoints/x-9a129038.pth")
    assert len(site.log) == 0


@pytest.mark.parametrize(
    "path", ["checkpoints/../../x.pth", "checkpoints/con", "checkpoints/\udcff.pth"], ids=ascii
)
def test_no_file_lands_outside_the_stage(bring: Bring, tmp_path: Path, path: str) -> None:
    with pytest.raises(StoreError, match="is refused"):
        bring(f"{WEB}/x.pth", path)
    assert not list(tmp_path.rglob("x.pth*"))


@pytest.mark.parametrize(
    "path", ["../x.pth", "/etc/x.pth", "x.pth", "model_info.json", "code/x.py", "checkpoints"]
)
def test_files_lie_among_the_checkpoints_alone(bring: Bring, tmp_path: Path, path: str) -> None:
    with pytest.raises(UnavailableError, match="no place for weights"):
        bring(f"{WEB}/x.pth", path)
    assert not list(tmp_path.rglob("x.*"))


def test_two_names_that_differ_in_case_are_refused(bring: Bring) -> None:
    files = bring(f"{WEB}/x.pth", "checkpoints/x.pth")
    with pytest.raises(StoreError, match="need the same place"):
        files.bring(f"{WEB}/x.pth", "checkpoints/X.pth")
    files.bring(f"{WEB}/x.pth", "checkpoints/x.pth")
