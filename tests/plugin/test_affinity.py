"""`--pot-affinity`: tests of one model run after each other, and nothing is set up twice for it."""

import pytest

HEAD = """
import pytest

bert = pytest.mark.pot_model("bert")
resnet = pytest.mark.pot_model("resnet18")
"""
MIXED = (
    HEAD
    + """
@bert
def test_b1(): pass

@resnet
def test_r1(): pass

def test_none(): pass

@bert
def test_b2(): pass

@pytest.mark.parametrize("n", [pytest.param("r", marks=resnet), pytest.param("b", marks=bert), "n"])
def test_p(n): pass
"""
)


def order(pytester: pytest.Pytester, *options: str) -> list[str]:
    """The tests in the order in which they run."""
    result = pytester.runpytest_inprocess("-v", "--pot-offline", "-p", "no:cacheprovider", *options)
    assert result.ret == 0
    return [line.split()[0] for line in result.outlines if " PASSED " in line]


def names(tests: list[str]) -> list[str]:
    return [test.rpartition("::")[2] for test in tests]


def test_tests_without_a_model_come_first_then_one_model_after_the_other(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(test_a=MIXED, test_b=MIXED)
    run = order(pytester, "--pot-affinity")
    one_file = [["test_none", "test_p[n]"], ["test_b1", "test_b2", "test_p[b]"],
                ["test_r1", "test_p[r]"]]  # fmt: skip
    expected = [
        f"{file}::{name}" for group in one_file for file in ("test_a.py", "test_b.py")
        for name in group
    ]  # fmt: skip
    assert run == expected


@pytest.mark.parametrize("how", ["nothing", "variable", "key"])
def test_the_setting_decides(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    pytester.makepyfile(MIXED)
    if how == "variable":
        monkeypatch.setenv("POT_AFFINITY", "1")
    if how == "key":
        pytester.makepyprojecttoml("[tool.potmodels]\naffinity = true")
    written = ["test_b1", "test_r1", "test_none", "test_b2", "test_p[r]", "test_p[b]", "test_p[n]"]
    assert (names(order(pytester)) == written) is (how == "nothing")


def test_a_test_of_two_models_goes_by_both(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        HEAD
        + """
@bert
@resnet
def test_both_1(): pass

@bert
def test_b(): pass

@resnet
@bert
def test_both_2(): pass
"""
    )
    assert names(order(pytester, "--pot-affinity")) == ["test_both_1", "test_both_2", "test_b"]


def test_the_same_model_by_another_name_is_the_same(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        HEAD
        + """
@bert
def test_1(): pass

@resnet
def test_2(): pass

@pytest.mark.pot_model("hf:bert-base-uncased")
def test_3(): pass
"""
    )
    assert names(order(pytester, "--pot-affinity")) == ["test_1", "test_3", "test_2"]


def test_deselection_and_doctests_are_no_obstacle(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_it=f'"""\n>>> 1 + 1\n2\n"""\n{MIXED}')
    run = names(order(pytester, "--pot-affinity", "--doctest-modules", "-k", "not b1"))
    assert run == ["test_it", "test_none", "test_p[n]", "test_r1", "test_p[r]", "test_b2",
                   "test_p[b]"]  # fmt: skip


def test_a_wrong_mark_is_the_same_error(pytester: pytest.Pytester) -> None:
    pytester.makepyfile('import pytest\n@pytest.mark.pot_model("brt")\ndef test_it(): pass')
    result = pytester.runpytest_inprocess("--pot-affinity")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["test_it: unknown model 'brt'. Did you mean *"])


def test_failed_first_goes_before(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(HEAD + "@bert\ndef test_b(): pass\n@resnet\ndef test_r(): assert False\n")
    pytester.runpytest_inprocess("--pot-affinity", "--pot-offline")
    result = pytester.runpytest_inprocess("--pot-affinity", "--pot-offline", "--ff", "-v")
    result.stdout.fnmatch_lines(["*::test_r FAILED*", "*::test_b PASSED*"])
