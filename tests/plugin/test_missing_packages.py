"""Without a library nothing is downloaded, and the reason is the pip line."""

import pytest
from standin import StandIn
from standin.models import tiny_bert

HIDE = """
import sys

sys.modules["transformers"] = None
"""


def test_a_missing_library_is_told_before_a_byte_moves(
    pytester: pytest.Pytester, site: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add_repo("org/model", tiny_bert())
    monkeypatch.setenv("HF_ENDPOINT", site.hub.url)
    pytester.makeconftest(HIDE)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.pot_model("org/model")
        def test_it(language_model): ...
        """
    )
    result = pytester.runpytest_subprocess("--pot-mock=never", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(
        ["*[[]package-missing[]]: Transformers not available*pip install transformers*"]
    )
    assert list(site.log) == []


def test_then_an_announced_mock_stands_in(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(HIDE)
    pytester.makepyfile("def test_it(language_model):\n    assert language_model.is_mock\n")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["mock *package-missing: Transformers not available*"])
