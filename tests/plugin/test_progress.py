"""A test that waits for a download is not a test that hangs."""

import pytest
from standin import Stalled, StandIn
from standin.models import tiny_bert


def test_a_long_download_is_told_about_on_the_terminal(
    pytester: pytest.Pytester, site: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add_repo("org/model", tiny_bert())
    site.fault(Stalled(at=1000, seconds=6), "model.safetensors")
    monkeypatch.setenv("HF_ENDPOINT", site.hub.url)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.requires_model("org/model")
        def test_it(): ...
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["potmodels: * model.safetensors: * MB"])
