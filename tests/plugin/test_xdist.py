"""All workers together: one download, one verdict, and a device each."""

import re

import pytest
from standin import FlippedByte, StandIn
from standin.models import padded_bert, tiny_bert, torchvision_weights

EIGHT = """
import pytest

@pytest.mark.requires_model("{name}")
@pytest.mark.parametrize("n", range(16))
def test_it(n): ...
"""


@pytest.mark.slow
def test_eight_workers_fetch_a_hub_model_once_and_then_never(
    pytester: pytest.Pytester, site: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add_repo("org/model", padded_bert())
    monkeypatch.setenv("HF_ENDPOINT", site.hub.url)
    pytester.makepyfile(EIGHT.format(name="org/model"))
    first = pytester.runpytest_subprocess("-n8")
    first.assert_outcomes(passed=16)
    first.stdout.fnmatch_lines(["real  org/model  16 tests, *sha256 *"])
    weights = len(padded_bert()["model.safetensors"])
    assert site.log.gets("model.safetensors") == 1
    assert weights <= site.log.bytes_sent("model.safetensors") < weights + 10_000
    assert site.log.gets("/api/models/") == 1
    site.log.clear()
    pytester.runpytest_subprocess("-n8").assert_outcomes(passed=16)
    assert list(site.log) == []


@pytest.mark.slow
def test_eight_workers_fetch_a_torchvision_file_once(
    pytester: pytest.Pytester, site: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_name, data = torchvision_weights("resnet18")
    site.add_download(f"/models/{file_name}", data)
    monkeypatch.setenv("POT_MIRRORS", f"https://download.pytorch.org={site.downloads.url}")
    pytester.makepyprojecttoml(
        f"""
        [tool.potmodels.models.ours]
        source = "torchvision"
        name = "resnet18"
        weights = "https://download.pytorch.org/models/{file_name}"
        """
    )
    pytester.makepyfile(EIGHT.format(name="ours"))
    pytester.runpytest_subprocess("-n8").assert_outcomes(passed=16)
    assert len(data) > 40_000_000
    assert site.log.gets(file_name) == 1
    site.log.clear()
    pytester.runpytest_subprocess("-n2").assert_outcomes(passed=16)
    assert list(site.log) == []


def test_all_workers_share_one_verdict_on_a_host(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("n", [
            pytest.param(n, marks=pytest.mark.requires_model(f"org/model{n}")) for n in range(12)
        ])
        def test_it(n): ...
        """
    )
    result = pytester.runpytest_subprocess("-n4", "-rs")
    result.assert_outcomes(skipped=12)
    decided = re.findall(r"SKIPPED.*decided at (\S+)", result.stdout.str())
    assert decided
    assert len(set(decided)) == 1
    assert result.duration < 15


def test_a_digest_that_is_wrong_for_ever_fails_every_test_under_xdist(
    pytester: pytest.Pytester, site: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add_repo("org/model", tiny_bert())
    site.fault(FlippedByte(at=2000), "model.safetensors", times=None)
    monkeypatch.setenv("HF_ENDPOINT", site.hub.url)
    pytester.makepyfile(EIGHT.format(name="org/model").replace("16", "2"))
    result = pytester.runpytest_subprocess("-n2", "--pot-missing=skip")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*DigestMismatchError: *"])
