"""Real, mock, skip or fail: who decides, and what the report says."""

import json
from pathlib import Path

import pytest
from standin import FlippedByte, StandIn
from standin.models import tiny_bert

WANTS = "def test_it(language_model):\n    assert language_model.is_mock\n"
REQUIRES = (
    "import pytest\n\n@pytest.mark.requires_model('bert')\n"
    "def test_it(language_model):\n    assert not language_model.is_mock\n"
)


def test_a_model_that_cannot_be_had_is_an_announced_mock(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(WANTS)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["mock  distilbert-base-uncased  1 test, offline: *127.0.0.1*"])
    result.stdout.fnmatch_lines(["1 test with models: 1 on a mock for want of the model"])


def test_mock_never_makes_it_required(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(WANTS)
    pytester.runpytest_inprocess("--pot-mock=never").assert_outcomes(skipped=1)
    pytester.runpytest_inprocess("--pot-mock=never", "--pot-missing=fail").assert_outcomes(errors=1)


def test_mock_never_allows_the_test_preset(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(WANTS)
    result = pytester.runpytest_inprocess("--pot-mock=never", "--pot-preset=test")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["mock asked for  mock-lstm *"])


def test_mock_always_asks_for_nothing_else(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(WANTS)
    result = pytester.runpytest_inprocess("--pot-mock=always")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["mock asked for  distilbert-base-uncased  1 test, asked-for*"])


def test_a_required_model_is_never_a_mock(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(REQUIRES)
    result = pytester.runpytest_inprocess("--pot-mock=always", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*SKIPPED*bert [[]mock-only[]]*drop --pot-mock=always*"])


def test_a_required_model_that_is_missing_skips_on_a_desk_with_a_coded_reason(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(REQUIRES)
    result = pytester.runpytest_inprocess("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*SKIPPED*bert [[]offline[]]: 127.0.0.1:9 is not reachable*"])


@pytest.mark.parametrize("variable", ["CI", "GITHUB_ACTIONS", "GITLAB_CI", "TF_BUILD"])
def test_it_fails_where_ci_is_detected(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "true")
    pytester.makepyfile(REQUIRES)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"potmodels: *CI detected ({variable})"])
    assert "Traceback" not in result.stdout.str()


def test_the_option_beats_the_detection(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    pytester.makepyfile(REQUIRES)
    pytester.runpytest_inprocess("--pot-missing=skip").assert_outcomes(skipped=1)


@pytest.mark.parametrize("switch", ["--pot-offline", "--pot-network=block", "HF_HUB_OFFLINE",
                                    "TRANSFORMERS_OFFLINE"])  # fmt: skip
def test_a_closed_network_says_who_closed_it(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, switch: str
) -> None:
    if not switch.startswith("--"):
        monkeypatch.setenv(switch, "1")
    pytester.makepyfile(REQUIRES)
    result = pytester.runpytest_inprocess("-rs", *([switch] if switch.startswith("--") else []))
    result.assert_outcomes(skipped=1)
    said = result.stdout.str()
    assert "[not-cached]" in said
    assert switch.partition("=")[0].replace("--pot-network", "network") in said
    assert "potmodels download bert" in said


def test_a_requirement_without_a_fixture_is_checked_too(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.requires_model("bert")
        def test_it(): raise AssertionError("must not run")
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(skipped=1)


@pytest.mark.parametrize(
    "mark",
    ["pytest.mark.skip", "pytest.mark.skipif(True, reason='no')", "pytest.mark.xfail(run=False)"],
)
def test_a_test_that_is_skipped_anyway_fetches_nothing(
    pytester: pytest.Pytester, mark: str, site: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", site.hub.url)
    pytester.makepyfile(REQUIRES.replace("@pytest", f"@{mark}\n@pytest"))
    result = pytester.runpytest_inprocess("--pot-missing=fail")
    assert result.ret == pytest.ExitCode.OK
    assert list(site.log) == []


@pytest.mark.parametrize("decorated", ["class", "    def"])
def test_unittest_skips_fetch_nothing_either(
    pytester: pytest.Pytester, decorated: str, site: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", site.hub.url)
    test = (
        "import unittest\nimport pytest\n\n"
        "class TestIt(unittest.TestCase):\n    def test_it(self): ...\n"
    )
    indent = " " * (len(decorated) - len(decorated.lstrip()))
    marks = f"{indent}@unittest.skip('no')\n{indent}@pytest.mark.requires_model('bert')\n"
    pytester.makepyfile(test.replace(decorated, marks + decorated))
    pytester.runpytest_inprocess("--pot-missing=fail").assert_outcomes(skipped=1)
    assert list(site.log) == []


def test_a_plan_of_the_setup_fetches_nothing(
    pytester: pytest.Pytester, site: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", site.hub.url)
    pytester.makepyfile(REQUIRES)
    assert pytester.runpytest_inprocess("--setup-plan").ret == pytest.ExitCode.OK
    assert list(site.log) == []


@pytest.mark.parametrize("how", [(), ("-n2",)])
def test_a_skip_points_at_its_test(pytester: pytest.Pytester, how: tuple[str, ...]) -> None:
    pytester.makepyfile(
        test_places="""
        import pytest

        @pytest.mark.requires_model("bert")
        def test_mark(): ...

        def test_fixture(language_model): ...

        def test_body(pot_models):
            pot_models.load("bert")

        def test_own():
            pytest.skip("mine")
        """
    )
    result = pytester.runpytest_subprocess("-rs", "--pot-mock=never", *how)
    result.assert_outcomes(skipped=4)
    places = {line.split()[2] for line in result.outlines if line.startswith("SKIPPED")}
    assert places == {f"test_places.py:{line}:" for line in (3, 6, 8, 12)}


def test_what_is_required_is_no_mock_in_the_body_either(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    folder = tmp_path / "damaged"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"}))
    (folder / "model.safetensors").write_bytes(b"no weights")
    pytester.makepyfile(
        f"""
        import pytest

        def test_free(pot_models):
            pot_models.shared("file:{folder}")
            raise AssertionError("a broken model is not a missing one")

        @pytest.mark.requires_model("file:{folder}")
        @pytest.mark.parametrize("way", ["load", "shared"])
        def test_required(pot_models, way):
            getattr(pot_models, way)("file:{folder}")
            raise AssertionError("must not get here")
        """
    )
    result = pytester.runpytest_inprocess("-rs")
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(["failed  *not-loadable: *"])
    assert "must not get here" not in result.stdout.str().partition("short test summary")[2]


def test_the_real_model_comes_once_and_stays(
    pytester: pytest.Pytester, site: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add_repo("google-bert/bert-base-uncased", tiny_bert(), aliases=("bert-base-uncased",))
    monkeypatch.setenv("HF_ENDPOINT", site.hub.url)
    pytester.makepyfile(REQUIRES)
    first = pytester.runpytest_inprocess()
    first.assert_outcomes(passed=1)
    first.stdout.fnmatch_lines(["real  bert  1 test, * sha256 *, loaded in * s"])
    site.log.clear()
    pytester.runpytest_inprocess().assert_outcomes(passed=1)
    assert list(site.log) == []
    pytester.runpytest_inprocess("--pot-offline").assert_outcomes(passed=1)


def test_wrong_bytes_fail_the_test_in_every_mode(
    pytester: pytest.Pytester, site: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add_repo("distilbert/distilbert-base-uncased", tiny_bert(),
                  aliases=("distilbert-base-uncased",))  # fmt: skip
    site.fault(FlippedByte(at=2000), "model.safetensors", times=None)
    monkeypatch.setenv("HF_ENDPOINT", site.hub.url)
    pytester.makepyfile(WANTS)
    for mode in ("--pot-mock=missing", "--pot-missing=skip"):
        result = pytester.runpytest_inprocess(mode)
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines(["*DigestMismatchError: *model.safetensors*"])
        result.stdout.fnmatch_lines(["*expected*found*"])


@pytest.mark.parametrize(("name", "code"), [
    ("org/gated", "gated"), ("org/private", "private-or-missing"),
])  # fmt: skip
def test_each_refusal_has_its_own_code(
    pytester: pytest.Pytester, site: StandIn, monkeypatch: pytest.MonkeyPatch, name: str, code: str
) -> None:
    site.add_repo("org/gated", tiny_bert(), gated=True)
    site.add_repo("org/private", tiny_bert(), private=True)
    monkeypatch.setenv("HF_ENDPOINT", site.hub.url)
    pytester.makepyfile(REQUIRES.replace("bert", name))
    result = pytester.runpytest_inprocess("-rs")
    result.assert_outcomes(skipped=1)
    assert f"[{code}]" in result.stdout.str()


def test_a_revision_that_does_not_exist_is_never_skipped_or_mocked(
    pytester: pytest.Pytester, site: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add_repo("org/model", tiny_bert())
    monkeypatch.setenv("HF_ENDPOINT", site.hub.url)
    pytester.makepyfile(REQUIRES.replace("'bert'", "'org/model@v9'"))
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    assert "v9" in result.stdout.str()


def test_a_model_over_the_size_limit_names_the_option(
    pytester: pytest.Pytester, site: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add_repo("org/model", tiny_bert())
    monkeypatch.setenv("HF_ENDPOINT", site.hub.url)
    pytester.makepyfile("def test_it(pot_models):\n    pot_models.load('org/model')\n")
    result = pytester.runpytest_inprocess("--pot-max-size=1KB")
    result.assert_outcomes(failed=1)
    assert "--pot-max-size" in result.stdout.str()
    assert site.log.gets("model.safetensors") == 0
