"""What `--pot-affinity` does not tear apart: each fixture of a wider scope is set up once."""

from collections import Counter

import pytest

HEAD = """
import pytest
from conftest import note

bert = pytest.mark.pot_model("bert")
resnet = pytest.mark.pot_model("resnet18")
"""
#: Both models by turns, so that a sort that looks at models alone tears it apart.
TESTS = """
    @bert
    def test_1(self, {fixture}): pass

    @resnet
    def test_2(self, {fixture}): pass

    @bert
    def test_3(self, {fixture}): pass
"""
FREE = TESTS.format(fixture="request").replace("self, ", "").replace("\n    ", "\n")
CONFTEST = """
import pathlib
import pytest

def note(what):
    with pathlib.Path("noted").open("a") as file:
        file.write(what + "\\n")
"""


def run(pytester: pytest.Pytester, *options: str) -> tuple[Counter[str], list[str]]:
    """What was set up how often, and the order of the tests."""
    result = pytester.runpytest_inprocess("-v", "--pot-offline", "--pot-affinity", *options)
    assert result.ret == 0
    tests = [line.split()[0] for line in result.outlines if " PASSED " in line]
    return Counter((pytester.path / "noted").read_text().split()), tests


def block(tests: list[str], part: str) -> list[str]:
    """The tests of one place, which run without another one between them."""
    found = [number for number, test in enumerate(tests) if part in test]
    assert found == list(range(found[0], found[-1] + 1))
    return [tests[number].rpartition("::")[2] for number in found]


MODULE_FIXTURE = "@pytest.fixture(scope='module')\ndef shared():\n    note(__name__)\n"
SETUP_MODULE = "def setup_module():\n    note(__name__)\n"


@pytest.mark.parametrize("shared", [MODULE_FIXTURE, SETUP_MODULE])
def test_a_module_that_shares_a_fixture_moves_as_one(
    pytester: pytest.Pytester, shared: str
) -> None:
    uses = "shared" if "shared" in shared else "request"
    tests = TESTS.format(fixture=uses).replace("self, ", "").replace("\n    ", "\n")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_a=HEAD + FREE, test_b=HEAD + shared + tests, test_c=HEAD + FREE)
    counted, ran = run(pytester)
    assert counted == {"test_b": 1}
    assert block(ran, "test_b.py") == ["test_1", "test_3", "test_2"]
    # Between those of its first and those of its last model.
    assert ran[:4] == [f"test_{m}.py::test_{n}" for m in "ac" for n in (1, 3)]
    assert ran[-2:] == ["test_a.py::test_2", "test_c.py::test_2"]


def test_a_module_of_which_one_test_shares_a_fixture_moves_as_one(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeconftest(CONFTEST)
    tests = FREE.replace("test_2(request)", "test_2(shared)").replace(
        "test_3(req", "test_3(shared, req"
    )
    pytester.makepyfile(test_a=HEAD + FREE, test_b=HEAD + MODULE_FIXTURE + tests)
    counted, ran = run(pytester)
    assert counted == {"test_b": 1}
    block(ran, "test_b.py")


CLASS_FIXTURE = """
@pytest.fixture(scope="class")
def shared(request):
    note(request.cls.__name__)

class TestA:
"""
SETUP_CLASS = """
class TestA:
    def setup_class(cls):
        note(cls.__name__)
"""
SET_UP_CLASS = """
import unittest
class TestA(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        note(cls.__name__)
"""


@pytest.mark.parametrize("head", [CLASS_FIXTURE, SETUP_CLASS, SET_UP_CLASS])
def test_a_class_that_shares_a_fixture_moves_as_one(pytester: pytest.Pytester, head: str) -> None:
    uses = "self, shared" if head is CLASS_FIXTURE else "self"
    tests = TESTS.format(fixture="x").replace("self, x", uses)
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_a=HEAD + FREE + head + tests, test_b=HEAD + FREE)
    counted, ran = run(pytester)
    assert counted == {"TestA": 1}
    assert block(ran, "TestA") == ["test_1", "test_3", "test_2"]


def test_a_class_that_shares_nothing_is_sorted_test_by_test(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST + "\nnote('nothing')")
    pytester.makepyfile(HEAD + FREE + "\nclass TestA:\n" + TESTS.format(fixture="request"))
    _, ran = run(pytester)
    assert [test.rpartition("::")[2] for test in ran] == [f"test_{n}" for n in (1, 3, 1, 3, 2, 2)]


def test_a_package_that_shares_a_fixture_stays_together(pytester: pytest.Pytester) -> None:
    package = pytester.mkpydir("inside")
    shared = "@pytest.fixture(scope='package', autouse=True)\ndef shared():\n    note('inside')\n"
    (package / "conftest.py").write_text("import pytest\nfrom conftest import note\n" + shared)
    for name in ("test_b", "test_c"):
        (package / f"{name}.py").write_text(HEAD + FREE)
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_a=HEAD + FREE, test_z=HEAD + FREE)
    counted, ran = run(pytester, "--import-mode=prepend")
    assert counted == {"inside": 1}
    assert block(ran, "inside") == [f"test_{n}" for n in (1, 3, 1, 3, 2, 2)]


@pytest.mark.parametrize("scope", ["session", "module"])
def test_a_parameter_of_a_wider_scope_is_set_up_once(pytester: pytest.Pytester, scope: str) -> None:
    fixture = f"""
@pytest.fixture(scope="{scope}", params=["x", "y"])
def shared(request):
    note(request.param)
"""
    pytester.makeconftest(CONFTEST)
    tests = FREE.replace("(request)", "(shared)")
    pytester.makepyfile(test_a=HEAD + fixture + tests, test_b=HEAD + FREE)
    counted, ran = run(pytester)
    assert counted == {"x": 1, "y": 1}
    assert block(ran, "[x]") == ["test_1[x]", "test_3[x]", "test_2[x]"]
