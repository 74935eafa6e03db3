"""The tables of the pages against the program: neither may change alone."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields

import pytest
from docs.markdown import ROOT, Page, Row, plain
from plugin.test_markers import TABLE

from pytest_potmodels import hookspecs, plugin
from pytest_potmodels.artifacts import LoadedModel
from pytest_potmodels.catalog.entries import KEYS
from pytest_potmodels.catalog.reader import build_catalog
from pytest_potmodels.cli import exits
from pytest_potmodels.cli.dispatch import COMMANDS
from pytest_potmodels.config_files.yaml import _YAML_SCHEMA
from pytest_potmodels.errors import NEVER_SUBSTITUTED, Reason
from pytest_potmodels.fallback import ASKED_FOR, STORE
from pytest_potmodels.identifiers import SOURCE_ALIASES, SOURCES
from pytest_potmodels.lut.configuration.runtime import RUNTIME
from pytest_potmodels.lut.configuration.structural import STRUCTURAL
from pytest_potmodels.lut.running import MODES
from pytest_potmodels.session.arguments import ARGUMENTS
from pytest_potmodels.session.ledger import Row as LedgerRow
from pytest_potmodels.session.requests import FIXTURES
from pytest_potmodels.settings import DEFAULT_CACHE, OFFLINE_VARIABLES
from pytest_potmodels.settings.environment import CI_VARIABLES
from pytest_potmodels.settings.options import OPTIONS, VARIABLES, Option
from pytest_potmodels.settings.values import Settings

README = Page(ROOT / "README.md")
CONFIGURATION = Page(ROOT / "docs" / "configuration.md")
FIXTURES_PAGE = Page(ROOT / "docs" / "fixtures-and-markers.md")
LUT = Page(ROOT / "docs" / "lut.md")
HOOKS = Page(ROOT / "docs" / "hooks.md")
REASONS = Page(ROOT / "docs" / "reasons.md")
ARCHITECTURE = Page(ROOT / ".github" / "ARCHITECTURE.md")

_QUOTED = re.compile(r"`([^`]+)`")


def quoted(cell: str) -> list[str]:
    return _QUOTED.findall(cell)


def quoted_in(rows: Iterable[Row]) -> list[str]:
    return [name for row in rows for name in quoted(row[0])]


@pytest.mark.parametrize("page", [README, CONFIGURATION], ids=["README.md", "configuration.md"])
def test_every_option_is_in_the_table_with_its_variable_and_words(page: Page) -> None:
    rows = page.table("option", "variable")
    assert [plain(row[0]) for row in rows] == [option.flag for option in OPTIONS]
    for option, row in zip(OPTIONS, rows, strict=True):
        assert plain(row[1]) == option.env
        assert set(quoted(row[-1])) >= set(option.choices), option.key
        assert default(option) in (*quoted(row[-1])[:1], "", None), option.key


def default(option: Option) -> str | None:
    """The first thing that the cell of values must name; None where that is a sentence."""
    known = {"cache_dir": DEFAULT_CACHE, "max_size": "5GB", "mirror": None, "config": None}
    known |= {"lock": None, "report": None}
    if option.key in known:
        return known[option.key]
    return str(getattr(Settings(), option.key)).removesuffix(".0")


def test_every_key_of_the_file_is_in_the_table() -> None:
    rows = CONFIGURATION.table("option", "variable", "key")
    assert [plain(row[2]) for row in rows] == [
        "" if option.key == "config" else option.key for option in OPTIONS
    ]


def test_every_setting_without_an_option_is_in_the_table() -> None:
    rows = CONFIGURATION.table("variable", "key")
    assert [(plain(row[0]), plain(row[1])) for row in rows] == [
        (setting.env, setting.key) for setting in VARIABLES
    ]
    for setting, row in zip(VARIABLES, rows, strict=True):
        assert set(quoted(row[-1])) >= set(setting.choices), setting.key


def test_the_keys_of_a_model_are_these() -> None:
    assert quoted_in(CONFIGURATION.table("key", "meaning")) == list(KEYS)
    (sentence,) = re.findall(r"Keys: (.*?)\.\n", README.path.read_text("utf-8"), re.DOTALL)
    assert quoted(sentence) == list(KEYS)


def test_the_keys_of_a_yaml_file_are_these() -> None:
    assert quoted_in(CONFIGURATION.table("key under `models:`")) == keys_of(_YAML_SCHEMA)


def keys_of(schema: Mapping[str, object], at: str = "") -> list[str]:
    """The keys with a value, each with those around it."""
    found = []
    for key, wanted in schema.items():
        found += keys_of(wanted, f"{at}{key}.") if isinstance(wanted, Mapping) else [at + key]
    return found


def test_the_variables_of_others_are_these() -> None:
    named = set(quoted_in(CONFIGURATION.table("variable", "meaning here")))
    assert named >= {*CI_VARIABLES, *OFFLINE_VARIABLES, "HF_ENDPOINT"}


@pytest.mark.parametrize(
    "page", [README, FIXTURES_PAGE], ids=["README.md", "fixtures-and-markers.md"]
)
def test_every_fixture_is_in_the_table(page: Page) -> None:
    assert quoted_in(page.table("fixture")) == [*FIXTURES, "pot_models", "lut_heldout"]


def test_every_attribute_of_a_loaded_model_is_in_the_table() -> None:
    own = {name for name, value in vars(LoadedModel).items() if not name.startswith("_")}
    known = own | {field.name for field in fields(LoadedModel)}
    assert set(quoted_in(FIXTURES_PAGE.table("attribute"))) == known
    text = README.path.read_text("utf-8")
    (sentence,) = re.findall(r"a fixture yields: (.*?)\.\n", text, re.DOTALL)
    assert {name.removeprefix(".") for name in quoted(sentence)} == known - {"kind"}


def test_the_presets_are_these() -> None:
    catalog = build_catalog({}, Settings().where)
    for preset, vision, language in README.table("preset"):
        chosen = catalog.presets[quoted(preset)[0]]
        assert (quoted(vision)[0], quoted(language)[0]) == (chosen["vision"], chosen["language"])
    assert len(README.table("preset")) == len(catalog.presets)


def test_every_marker_is_in_the_table_with_its_arguments() -> None:
    rows = FIXTURES_PAGE.table("marker")
    declared = [line.partition(":")[0] for line in plugin._MARKERS]
    assert [plain(row[0]) for row in rows] == declared
    assert quoted_in(FIXTURES_PAGE.table("argument")) == list(ARGUMENTS)


def test_the_table_of_resolution_is_the_one_that_is_tested() -> None:
    head = ("on the class", "on the parameter", "on the test", "fixture", "model")
    written = [tuple(map(plain, row)) for row in FIXTURES_PAGE.table(*head)]
    assert written == [as_row(*case) for case in TABLE.values()]


def as_row(on_class: str, on_function: str, fixture: str, model: str) -> Row:
    parameter = re.search(r'parametrize\(.*marks=pytest\.mark\.(\w+\("\w+"\))\)\]\)', on_function)
    marks = on_function.replace("@pytest.mark.", "").splitlines()
    own = [mark for mark in marks if not mark.startswith("parametrize(")]
    return (on_class, parameter[1] if parameter else "", ", ".join(own), fixture, model)


def test_every_source_is_in_the_table() -> None:
    assert set(quoted_in(FIXTURES_PAGE.table("source", "name"))) == {*SOURCES, *SOURCE_ALIASES}


def test_every_value_of_a_lut_network_is_in_the_tables() -> None:
    assert quoted_in(LUT.table("field")) == list(STRUCTURAL)
    rows = LUT.table("key", "default")
    assert [plain(row[0]) for row in rows] == list(RUNTIME)
    assert [plain(row[1]) for row in rows] == [as_yaml(key.default) for key in RUNTIME.values()]
    assert set(quoted_in(LUT.table("`eval_mode`"))) == set(MODES)


def as_yaml(value: object) -> str:
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_every_reason_is_in_the_table() -> None:
    rows = REASONS.table("code")
    assert sorted(quoted_in(rows)) == sorted(Reason)
    never = {plain(row[0]) for row in rows if row[-1] == "never"}
    assert never == {str(reason) for reason in NEVER_SUBSTITUTED}
    assert quoted_in(REASONS.table("code of a mock")) == [ASKED_FOR, STORE]


def test_every_field_of_a_ledger_row_is_in_the_table() -> None:
    named = quoted_in(HOOKS.table("field"))
    assert sorted(named) == sorted(field.name for field in fields(LedgerRow))


def test_every_hook_is_documented() -> None:
    text = HOOKS.path.read_text("utf-8")
    for name in vars(hookspecs):
        if name.startswith("pytest_potmodels_"):
            assert f"def {name}(" in text, name


def test_the_layers_of_the_architecture_are_those_that_are_checked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contract = project["tool"]["importlinter"]["contracts"][0]
    checked = [{part.strip() for part in layer.split("|")} for layer in contract["layers"]]
    built = [{name for name in names if not name.startswith("(")} for names in checked]
    written = [set(quoted(row[0])) for row in ARCHITECTURE.table("layer")]
    assert written == [names for names in built if names]


def test_every_command_is_shown_and_every_exit_code_named() -> None:
    shown = "".join(b.text for b in README.blocks if b.section == "On the command line")
    assert set(re.findall(r"^\$ potmodels (\w+)", shown, re.MULTILINE)) == set(COMMANDS)
    codes = re.search(r"0 done, .* its worst", " ".join((exits.__doc__ or "").split()))
    assert codes
    text = " ".join(README.path.read_text("utf-8").split())
    assert codes[0] in text
