"""The garbage collector is off while tests are collected, and on again whatever happens then."""

import gc
import re
from collections.abc import Callable, Iterator

import pytest

#: Says how it stands in the modules, in the tests, and at the end.
CONFTEST = """
import gc

def say(when):
    print(f"{when}: {'on' if gc.isenabled() else 'off'}, {'frozen' if gc.get_freeze_count() else 'free'}")

def pytest_runtest_setup():
    say("test")

def pytest_sessionfinish():
    say("end")
"""  # noqa: E501
MODULE = "from conftest import say\nsay('module')\n"
A_FRAMEWORK = "import sys, types\nsys.modules['torch'] = types.ModuleType('torch')\n"
A_TEST = "def test_it(): pass\n"
WITH_MODEL = "import pytest\n@pytest.mark.pot_model('bert')\n" + A_TEST


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    """A run that does not know that it is inside of a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTEST_CURRENT_TEST")
        return pytester.runpytest_subprocess("-s", "--pot-offline", *options)


def states(result: pytest.RunResult) -> list[str]:
    return re.findall(r"(?:module|test|end): (?:on|off), (?:frozen|free)", result.stdout.str())


@pytest.mark.parametrize(("module", "after"), [
    (A_TEST, "on, free"), (A_FRAMEWORK + A_TEST, "on, frozen"), (WITH_MODEL, "on, frozen"),
])  # fmt: skip
def test_it_is_off_in_modules_and_on_in_tests(
    pytester: pytest.Pytester, module: str, after: str
) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(MODULE + module)
    result = run(pytester)
    assert states(result) == ["module: off, free", f"test: {after}", f"end: {after}"]


@pytest.mark.parametrize("how", ["variable", "key"])
def test_it_can_be_left_alone(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "variable":
        monkeypatch.setenv("POT_GC", "keep")
    else:
        pytester.makepyprojecttoml('[tool.potmodels]\ngc = "keep"')
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(MODULE + A_FRAMEWORK + WITH_MODEL)
    result = run(pytester)
    assert states(result) == ["module: on, free", "test: on, free", "end: on, free"]


def test_who_switched_it_off_has_it_off(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST + "\ngc.disable()")
    pytester.makepyfile(MODULE + A_FRAMEWORK + A_TEST)
    result = run(pytester)
    assert states(result) == ["module: off, free", "test: off, free", "end: off, free"]


@pytest.mark.parametrize(("module", "options", "code"), [
    ("raise KeyboardInterrupt", (), pytest.ExitCode.INTERRUPTED),
    ("raise ImportError", (), pytest.ExitCode.INTERRUPTED),
    ("import pytest; pytest.exit('enough')", (), pytest.ExitCode.INTERRUPTED),
    (A_TEST, ("nowhere.py",), pytest.ExitCode.USAGE_ERROR),
    (A_TEST, ("--collect-only",), pytest.ExitCode.OK),
])  # fmt: skip
def test_it_is_on_again_however_collection_ends(
    pytester: pytest.Pytester, module: str, options: tuple[str, ...], code: int
) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(module)
    result = run(pytester, *options)
    assert result.ret == code
    assert states(result) == ["end: on, free"]


def test_a_hook_that_fails_leaves_it_on(pytester: pytest.Pytester) -> None:
    failing = "\ndef pytest_collection_modifyitems():\n    raise RuntimeError\n"
    pytester.makeconftest(CONFTEST + failing)
    pytester.makepyfile(A_TEST)
    result = run(pytester)
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    assert states(result) == ["end: on, free"]


def test_the_controller_of_xdist_keeps_it_on_and_so_do_workers(pytester: pytest.Pytester) -> None:
    hook = "@pytest.hookimpl(tryfirst=True)\ndef pytest_runtestloop():\n    say('test')\n"
    pytester.makeconftest(f"import pytest\n{CONFTEST}\n{hook}")
    pytester.makepyfile(
        f"import gc\n{A_FRAMEWORK}\nassert not gc.isenabled()\n"
        "def test_it():\n    assert gc.isenabled() and gc.get_freeze_count()\n"
    )
    result = run(pytester, "-n2")
    result.assert_outcomes(passed=1)
    # The controller's; what workers print goes nowhere.
    assert states(result) == ["test: on, free", "end: on, free"]


@pytest.fixture
def collector_as_before() -> Iterator[None]:
    was_on = gc.isenabled()
    yield
    (gc.enable if was_on else gc.disable)()


@pytest.mark.usefixtures("collector_as_before")
@pytest.mark.parametrize("switch", [gc.enable, gc.disable])
def test_a_run_inside_of_a_test_gives_it_back_as_it_was(
    pytester: pytest.Pytester, switch: Callable[[], None]
) -> None:
    switch()
    was_on, frozen = gc.isenabled(), gc.get_freeze_count()
    pytester.makepyfile(f"import gc\nassert not gc.isenabled()\n{WITH_MODEL}")
    pytester.runpytest_inprocess("--pot-offline").assert_outcomes(passed=1)
    assert gc.isenabled() is was_on
    assert gc.get_freeze_count() <= frozen
