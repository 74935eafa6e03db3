"""The tables of docs/experiments.md against the program: neither may change alone."""

from dataclasses import fields
from typing import get_args

from docs.markdown import ROOT, Page, plain

from pytest_potmodels.catalog.reader import build_catalog
from pytest_potmodels.experiments import ExperimentConfig, ExperimentContext
from pytest_potmodels.experiments.comparison import Cause
from pytest_potmodels.experiments.results import STATUSES, ExperimentResult
from pytest_potmodels.settings.values import Settings

PAGE = Page(ROOT / "docs" / "experiments.md")


def first_cells(*head: str) -> list[str]:
    return [name for row in PAGE.table(*head) for name in plain(row[0]).split(", ")]


def test_every_field_of_a_plan_is_in_the_table_with_its_default() -> None:
    assert first_cells("field", "default") == [each.name for each in fields(ExperimentConfig)]
    for name, default, _ in PAGE.table("field", "default"):
        said = plain(default)
        for field in fields(ExperimentConfig):
            if field.name == plain(name) and field.default is not None and said[:4] != "name":
                assert said.lower() in ("", str(field.default).lower()), field.name


def test_every_attribute_of_a_context_is_in_the_table() -> None:
    own = {name for name in vars(ExperimentContext) if not name.startswith("_")}
    own |= {field.name for field in fields(ExperimentContext)}
    assert {*first_cells("attribute"), "folder"} == own


def test_the_words_of_the_mapping_are_these() -> None:
    known = build_catalog({}, Settings().where).architectures
    rows = PAGE.table("word", "preset")
    assert {w: plain(p) for words, p in rows for w in plain(words).split(", ")} == known


def test_every_cause_and_status_is_named() -> None:
    assert set(first_cells("what", "differs")) == set(get_args(Cause))
    (row,) = [row for row in PAGE.table("key", "what it holds") if row[0] == "`status`"]
    assert tuple(plain(row[1]).split(", ")) == STATUSES
    known = {field.name for field in fields(ExperimentResult)}
    assert set(first_cells("key", "what it holds")) <= known
