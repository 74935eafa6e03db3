"""`--pot-network=warm`: all that is planned comes first, and then nothing more."""

import pytest
from standin import StandIn
from standin.models import tiny_bert

#: The first test tells the servers that it has started.
FIRST = """
import os
import urllib.request
import pytest

def test_first():
    try:
        urllib.request.urlopen(os.environ["HF_ENDPOINT"] + "/tests-have-started")
    except OSError:
        pass
"""
PLANNED = """
@pytest.mark.requires_model("org/model")
@pytest.mark.parametrize("n", range(4))
def test_planned(n): ...
"""
UNPLANNED = """
def test_unplanned(pot_models):
    pot_models.path("org/other")
"""


@pytest.fixture
def hub(site: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    site.add_repo("org/model", tiny_bert())
    site.add_repo("org/other", tiny_bert(seed=1))
    site.add_repo("org/gated", tiny_bert(), gated=True)
    for name, value in site.environ().items():
        monkeypatch.setenv(name, value)
    return site


def after_the_start(hub: StandIn) -> list[str]:
    lines = hub.log.lines()
    (first,) = [n for n, line in enumerate(lines) if "/tests-have-started" in line]
    return lines[first + 1 :]


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_no_request_is_made_once_tests_run(
    pytester: pytest.Pytester, hub: StandIn, workers: tuple[str, ...]
) -> None:
    pytester.makepyfile(FIRST + PLANNED + UNPLANNED)
    result = pytester.runpytest_subprocess("--pot-network=warm", "--pot-missing=fail", *workers)
    result.assert_outcomes(passed=5, failed=1)
    assert after_the_start(hub) == []
    assert hub.log.gets("/api/models/org/model") == 1
    assert hub.log.select("org/other") == []
    result.stdout.fnmatch_lines(
        [
            "*NotPlannedError: huggingface:org/other is not in the cache *, and the network is "
            "closed by --pot-network=warm: no selected test's marks or fixtures name it.",
            "*To mend it: name it in a mark: pot_model*org/other*potmodels download org/other",
        ]
    )


@pytest.mark.parametrize("mock", ["missing", "never"])
def test_a_forgotten_mark_is_neither_mocked_nor_skipped(
    pytester: pytest.Pytester, hub: StandIn, mock: str
) -> None:
    pytester.makepyfile(FIRST + UNPLANNED.replace("path", "load"))
    options = ("--pot-network=warm", f"--pot-mock={mock}", "--pot-missing=skip")
    result = pytester.runpytest_subprocess(*options)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["failed  org/other  1 test, not-cached: *"])


def test_a_mark_is_what_the_error_asks_for(pytester: pytest.Pytester, hub: StandIn) -> None:
    marked = UNPLANNED.replace("def", '@pytest.mark.pot_model("org/other")\ndef')
    pytester.makepyfile(FIRST + marked)
    pytester.runpytest_subprocess("--pot-network=warm").assert_outcomes(passed=2)
    assert after_the_start(hub) == []


def test_a_planned_model_that_cannot_be_had_says_why(
    pytester: pytest.Pytester, hub: StandIn
) -> None:
    pytester.makepyfile(FIRST + PLANNED.replace("org/model", "org/gated"))
    result = pytester.runpytest_subprocess("--pot-network=warm", "-rs", "-n2")
    result.assert_outcomes(passed=1, skipped=4)
    result.stdout.fnmatch_lines(["SKIPPED [[]4[]] *org/gated [[]gated[]]: *"])
    assert after_the_start(hub) == []
    assert hub.log.gets("/api/models/") == 1


def test_a_test_that_asks_as_it_runs_finds_the_network_closed(
    pytester: pytest.Pytester, hub: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POT_NETWORK", "warm")
    pytester.makepyfile(
        FIRST + "def test_late(request):\n"
        "    request.getfixturevalue('pot_models').path('org/model')\n"
    )
    result = pytester.runpytest_subprocess("--pot-missing=fail")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*org/model is not in the cache * closed by POT_NETWORK=warm:*"])
    assert after_the_start(hub) == []


def test_a_file_says_so_with_its_line(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyprojecttoml("[tool.potmodels]\nnetwork = 'warm'\n")
    pytester.makepyfile(FIRST + UNPLANNED)
    result = pytester.runpytest_subprocess("--pot-missing=fail")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["* closed by network=warm (*pyproject.toml:2): no selected *"])


def test_what_is_in_the_cache_need_not_be_planned(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyfile(UNPLANNED)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
    hub.log.clear()
    pytester.runpytest_subprocess("--pot-network=warm").assert_outcomes(passed=1)
    assert list(hub.log) == []


def test_mocks_need_no_network(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyfile("def test_it(language_model):\n    assert language_model.is_mock\n")
    options = ("--pot-network=warm", "--pot-mock=always")
    pytester.runpytest_subprocess(*options).assert_outcomes(passed=1)
    assert list(hub.log) == []
