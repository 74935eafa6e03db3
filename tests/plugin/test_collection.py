"""Marks are checked before the first test runs, on tests of any sort, wherever they come from."""

from pathlib import Path

import pytest

FORBIDDEN = "raise AssertionError('must not run')"
UNITTEST = f"""
import unittest
import pytest

@pytest.mark.requires_model("bert")
class TestOnClass(unittest.TestCase):
    def test_it(self):
        {FORBIDDEN}

class TestOnMethod(unittest.TestCase):
    @pytest.mark.requires_model("roberta")
    def test_it(self):
        {FORBIDDEN}
"""
TYPO = """
import unittest
import pytest

def test_good():
    pass

class TestIt(unittest.TestCase):
    @pytest.mark.requires_model("brt")
    def test_it(self):
        pass
"""
MEANT = "*test_it: unknown model 'brt'. Did you mean 'bert' or 'roberta'?"


def test_a_unittest_case_requires_its_model(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(UNITTEST)
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["skipped  bert *", "skipped  roberta *"])


@pytest.mark.parametrize("how", [(), ("--pot-mock=always",), ("-k", "good")])
def test_a_typo_on_a_unittest_method_is_a_collection_error(
    pytester: pytest.Pytester, how: tuple[str, ...]
) -> None:
    pytester.makepyfile(TYPO)
    result = pytester.runpytest_inprocess(*how)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*ERROR collecting*", MEANT])


def test_it_is_one_under_xdist(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TYPO)
    result = pytester.runpytest_subprocess("-n2")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([MEANT])
    assert result.ret != 0
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()


def test_all_mistakes_are_told_at_once_and_each_once(pytester: pytest.Pytester) -> None:
    mistaken = """
        import pytest

        @pytest.mark.parametrize("n", range(3))
        @pytest.mark.pot_model("resnet19")
        def test_one(vision_model, n): ...

        @pytest.mark.pot_preset("papr")
        def test_two(vision_model): ...
        """
    pytester.makepyfile(test_a=mistaken, test_b=mistaken)
    result = pytester.runpytest_inprocess("-rN")
    result.assert_outcomes(errors=2)
    said = result.stdout.str()
    assert said.count("test_one: unknown model 'resnet19'") == 2
    assert said.count("test_two: unknown preset 'papr'") == 2


def test_a_mark_that_a_conftest_adds_counts(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.requires_model("bert"))
        """
    )
    pytester.makepyfile(f"def test_it():\n    {FORBIDDEN}\n")
    pytester.runpytest_inprocess().assert_outcomes(skipped=1)


def test_a_mark_that_a_fixture_adds_counts(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(params=["mock:vision", "resnet19"])
        def named(request):
            request.node.add_marker(pytest.mark.pot_model(request.param))

        def test_it(named, vision_model):
            assert str(vision_model.id) == "mock:vision"
        """
    )
    result = pytester.runpytest_inprocess("--pot-mock=always")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["UnknownNameError: unknown model 'resnet19'. Did you mean *"])


def test_an_error_is_shown_once_and_without_our_frames(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.requires_model("bert")
        def test_it(): ...
        """
    )
    said = pytester.runpytest_inprocess("--pot-missing=fail").stdout.str()
    assert "UnavailableError: 127.0.0.1:9 is not reachable" in said
    assert "During handling" not in said
    assert "session/state.py" not in said


@pytest.mark.parametrize("how", [(), ("-n2",)])
@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("{'modles': {}}", "*_configure: unknown key 'modles'. Did you mean 'models'?"),
        ("{'models': []}", "pytest_potmodels_configure: 'models' is no table."),
        ("[]", "pytest_potmodels_configure gives list, expected a table."),
        ("{'presets': {'minimal': {'vision': 3}}}", "*: vision = 3 is no string."),
        ("1 / 0", "*fails at *conftest.py:2: ZeroDivisionError: division by zero"),
    ],
)  # fmt: skip
def test_a_hook_that_gives_no_table_is_one_error(
    pytester: pytest.Pytester, returned: str, said: str, how: tuple[str, ...]
) -> None:
    pytester.makeconftest(f"def pytest_potmodels_configure(settings):\n    return {returned}\n")
    uses = "def test_it(test_vision_model): ..."
    pytester.makepyfile(test_a=uses, test_b=uses)
    run = pytester.runpytest_subprocess if how else pytester.runpytest_inprocess
    result = run(*how)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([said])
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()


def test_a_doctest_leaves_rows_for_what_it_loads(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        '''
        def documented():
            """
            >>> getfixture("pot_models").load("mock-lstm").is_mock
            True
            >>> getfixture("test_vision_model").is_mock
            True
            """
        '''
    )
    result = pytester.runpytest_inprocess("--doctest-modules")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["mock asked for  mock-cnn *", "mock asked for  mock-lstm *"])


def test_tests_outside_of_the_rootdir_are_checked_too(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    (tmp_path / "test_elsewhere.py").write_text(TYPO)
    pytester.makeini("[pytest]")
    result = pytester.runpytest_inprocess(f"--rootdir={pytester.path}", str(tmp_path))
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines([MEANT])


def test_a_repository_in_a_cache_below_the_tests_is_not_collected(
    pytester: pytest.Pytester,
) -> None:
    code = pytester.path / "cache" / "models" / "pytorch_hub_acme--nets--tiny" / "code"
    (code / "tests").mkdir(parents=True)
    for name in ("conftest.py", "test_it.py", "tests/conftest.py", "tests/test_it.py"):
        (code / name).write_text(FORBIDDEN, encoding="utf-8")
    own = pytester.path / "pytorch_hub_examples" / "code"
    own.mkdir(parents=True)
    (own / "test_own.py").write_text("def test_own(): pass", encoding="utf-8")
    for words in ((), ("-o", "norecursedirs=nothing"), ("cache", "pytorch_hub_examples")):
        pytester.runpytest_inprocess(*words).assert_outcomes(passed=1)
