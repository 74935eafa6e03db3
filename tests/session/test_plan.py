"""Which models do tests need? Items that pytest itself has made, against the shipped catalog."""

import pytest

from pytest_potmodels.catalog.reader import build_catalog
from pytest_potmodels.session.plan import Need, Plan, plan_of
from pytest_potmodels.settings.values import Settings

CATALOG = build_catalog({}, Settings().where)


def plan(pytester: pytest.Pytester, source: str, preset: str = "minimal") -> Plan:
    return plan_of(pytester.getitems("import pytest\n" + source), CATALOG, preset)


def by_id(found: Plan) -> dict[str, Need]:
    return {str(need.request.id): need for need in found.needs}


def test_fixtures_need_the_models_that_they_yield(pytester: pytest.Pytester) -> None:
    found = plan(
        pytester,
        """
def test_preset(vision_model): ...
def test_fixed(paper_language_model): ...
def test_none(): ...
@pytest.fixture
def own(language_model): ...
def test_by_way_of_another(own): ...
""",
    )
    needs = by_id(found)
    assert list(needs) == [
        "torchvision:mobilenet_v2",
        "huggingface:bert-base-uncased",
        "huggingface:distilbert-base-uncased",
    ]
    assert not any(need.required or need.by_mark for need in found.needs)
    assert [len(need.tests) for need in found.needs] == [1, 1, 1]


def test_the_preset_is_that_of_the_run(pytester: pytest.Pytester) -> None:
    assert list(by_id(plan(pytester, "def test_it(vision_model): ...", "paper"))) == [
        "torchvision:resnet18"
    ]


def test_one_model_under_several_names_is_needed_once(pytester: pytest.Pytester) -> None:
    found = plan(
        pytester,
        """
@pytest.mark.pot_model("bert", task="fill-mask")
def test_a(language_model): ...
@pytest.mark.requires_model("bert-base-uncased")
def test_b(): ...
@pytest.mark.pot_model("hf:bert-base-uncased", dtype="float16")
def test_c(language_model): ...
@pytest.mark.pot_model("bert@v2")
def test_d(language_model): ...
""",
    )
    one, second = found.needs
    assert one.asked == ("bert", "bert-base-uncased", "hf:bert-base-uncased")
    assert [test.rpartition("::")[2] for test in one.tests] == ["test_a", "test_b", "test_c"]
    assert (one.required, one.by_mark) == (True, True)
    assert second.asked == ("bert@v2",)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('@pytest.mark.pot_model("bert")\ndef test_it(): ...', True),
        ('pytestmark = pytest.mark.pot_model("bert")\ndef test_it(): ...', False),
        ('pytestmark = pytest.mark.pot_model("bert")\ndef test_it(pot_models): ...', True),
        ('pytestmark = pytest.mark.requires_model("bert")\ndef test_it(): ...', True),
        (
            '@pytest.mark.pot_model("bert")\nclass TestIt:\n'
            "    def test_it(self, minimal_language_model): ...",
            False,
        ),
    ],
    ids=["on the test", "on the module", "and loaded by name", "required", "and not yielded"],
)
def test_a_mark_names_what_a_body_loads(
    pytester: pytest.Pytester, source: str, *, expected: bool
) -> None:
    assert ("huggingface:bert-base-uncased" in by_id(plan(pytester, source))) == expected


def test_parameters_are_told_apart(pytester: pytest.Pytester) -> None:
    found = plan(
        pytester,
        """
@pytest.mark.pot_model("bert")
@pytest.mark.parametrize("n", [
    pytest.param(0, marks=pytest.mark.pot_model("gpt2")), 1, pytest.param(2, marks=pytest.mark.skip)
])
def test_it(language_model, n): ...
""",
    )
    tests = {name: [test[-3:] for test in need.tests] for name, need in by_id(found).items()}
    assert tests == {"huggingface:gpt2": ["[0]"], "huggingface:bert-base-uncased": ["[1]"]}


def test_classes_of_one_module_are_told_apart(pytester: pytest.Pytester) -> None:
    found = plan(
        pytester,
        """
class Base:
    def test_it(self, language_model): ...
@pytest.mark.pot_model("gpt2")
class TestA(Base): ...
@pytest.mark.pot_model("bert")
class TestB(Base): ...
""",
    )
    assert set(by_id(found)) == {"huggingface:gpt2", "huggingface:bert-base-uncased"}


@pytest.mark.parametrize(
    "mark",
    [
        "skip",
        'skip(reason="no")',
        'skipif(True, reason="no")',
        'skipif("True")',
        "xfail(run=False)",
        'skipif("1 +", reason="cannot be meant")',
    ],
)
def test_who_is_skipped_needs_nothing(pytester: pytest.Pytester, mark: str) -> None:
    source = f"@pytest.mark.{mark}\ndef test_it(vision_model): ..."
    assert plan(pytester, source).needs == ()


@pytest.mark.parametrize("mark", ['skipif(False, reason="no")', "xfail", "xfail(strict=True)"])
def test_who_runs_all_the_same_needs_its_models(pytester: pytest.Pytester, mark: str) -> None:
    assert plan(pytester, f"@pytest.mark.{mark}\ndef test_it(vision_model): ...").needs


def test_unittest_skips_count(pytester: pytest.Pytester) -> None:
    source = """
import unittest
class TestIt(unittest.TestCase):
    @unittest.skip("no")
    @pytest.mark.requires_model("bert")
    def test_skipped(self): ...
    @pytest.mark.requires_model("gpt2")
    def test_run(self): ...
"""
    assert list(by_id(plan(pytester, source))) == ["huggingface:gpt2"]


def test_each_item_knows_its_own(pytester: pytest.Pytester) -> None:
    items = pytester.getitems("def test_a(vision_model): ...\ndef test_b(): ...")
    found = plan_of(items, CATALOG, "minimal")
    assert [len(found.of(item)) for item in items] == [1, 0]


def test_a_mark_that_cannot_be_meant_needs_nothing(pytester: pytest.Pytester) -> None:
    source = '@pytest.mark.pot_model("bret")\ndef test_it(language_model): ...'
    assert plan(pytester, source).needs == ()
