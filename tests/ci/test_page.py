"""The tables of docs/ci.md against the program: neither may change alone."""

from pathlib import Path
from typing import get_args

from docs.markdown import ROOT, Page, plain

from pytest_potmodels.ci import event
from pytest_potmodels.ci.inputs import INPUTS, Inputs, Mode, Told
from pytest_potmodels.ci.outputs import of_warming
from pytest_potmodels.ci.warming import CacheState, State, Warming
from pytest_potmodels.cli.ci.command import ci
from pytest_potmodels.settings.words import parse_size

PAGE = Page(ROOT / "docs" / "ci.md")
NOTHING = Warming((), "miss", "lock", True, False, 0, 0, 0, 0, 0.0, (), ())  # noqa: FBT003


def first_cells(head: str) -> list[str]:
    return [plain(row[0]) for row in PAGE.table(head)]


def test_every_command_is_in_the_table() -> None:
    assert first_cells("command") == [f"potmodels ci {name}" for name in ci.commands]


def test_every_input_is_in_the_table_with_its_default() -> None:
    assert sorted(first_cells("input")) == sorted(INPUTS)
    for name, said, _ in PAGE.table("input"):
        default = getattr(Inputs(), plain(name).replace("-", "_"))
        value = parse_size(plain(said)) if plain(name) == "max-size" else plain(said)
        expected = default if name == "`max-size`" else _word(default)
        assert value == expected, name


def _word(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default or "")


def test_every_output_of_warm_is_in_the_table() -> None:
    assert first_cells("output of warm") == list(of_warming(NOTHING, save=True))


def test_the_words_of_states_and_modes_are_these() -> None:
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    for kind in (CacheState, State, Mode, Told):
        for word in get_args(kind):
            assert f"`{word}`" in text, word


def test_every_event_with_a_rule_is_in_the_table() -> None:
    said = " ".join(row[0] for row in PAGE.table("event"))
    for name in (*event._NEVER_RESTORE, *event._MAY_SAVE):
        assert f"`{name}`" in said, name


def test_the_action_has_the_inputs_of_the_table() -> None:
    text = (Path(ROOT) / "action" / "action.yml").read_text(encoding="utf-8")
    inputs, _, _ = text.partition("\noutputs:")
    named = [line.split(":")[0].strip() for line in inputs.splitlines() if line.startswith("  ")]
    assert sorted(named) == sorted(INPUTS)
