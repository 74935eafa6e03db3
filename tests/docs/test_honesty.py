"""The table of README.md, "When the model cannot be had": each cell is what happens."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from docs.markdown import ROOT, Page
from standin import FlippedByte, StandIn
from standin.models import tiny_bert

from pytest_potmodels.loading import torchvision_guard
from pytest_potmodels.settings.environment import CI_VARIABLES

TABLE = Page(ROOT / "README.md").table("situation", "on a desk", "in CI")
USES = """
import pytest

@pytest.mark.{mark}("{name}")
def test_it(language_model): ...
"""


@dataclass(frozen=True)
class Situation:
    """What a test asks for, how it is run, and what is wrong with the servers."""

    mark: str = "pot_model"
    name: str = "org/model"
    option: str = "--pot-preset=minimal"
    wrong_bytes: bool = False


SITUATIONS = {
    "a fixture, and the model cannot be had": Situation(name="org/gated"),
    "the same with `--pot-mock=never`": Situation(name="org/gated", option="--pot-mock=never"),
    "`requires_model`, and the model cannot be had": Situation("requires_model", "org/gated"),
    "`requires_model` with `--pot-mock=always`": Situation(
        "requires_model", option="--pot-mock=always"
    ),
    "bytes that are not the expected bytes": Situation(wrong_bytes=True),
    "a revision that does not exist": Situation(name="org/model@v9"),
    "a model over `--pot-max-size`": Situation(option="--pot-max-size=1kB"),
}
CASES = [(row[0], ci, expected) for row in TABLE for ci, expected in enumerate(row[1:])]


@pytest.fixture(autouse=True, scope="module")
def frameworks() -> None:
    """Import torch for good: an in-process run forgets its imports, and torch loads only once."""
    transformers = torchvision_guard.import_transformers()
    assert all((transformers.BertModel, transformers.BertTokenizerFast))


@pytest.fixture
def hub(site: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """A hub with an open and a gated model, on a desk with an empty cache."""
    for name in os.environ:
        if name.startswith(("POT_", "HF_", "TRANSFORMERS_")) or name in CI_VARIABLES:
            monkeypatch.delenv(name)
    for name, value in {**site.environ(), "POT_CACHE_DIR": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    site.add_repo("org/model", tiny_bert())
    site.add_repo("org/gated", tiny_bert(), gated=True)
    return site


@pytest.mark.parametrize(
    ("said", "ci", "expected"),
    CASES,
    ids=[f"{said}-{'ci' if ci else 'desk'}" for said, ci, _ in CASES],
)
def test_each_cell_is_what_happens(
    pytester: pytest.Pytester,
    hub: StandIn,
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    ci: int,
    expected: str,
) -> None:
    situation = SITUATIONS[said]
    if ci:
        monkeypatch.setenv("CI", "true")
    if situation.wrong_bytes:
        hub.fault(FlippedByte(at=2000), "model.safetensors", times=None)
    pytester.makepyfile(USES.format(mark=situation.mark, name=situation.name))
    result = pytester.runpytest_inprocess(situation.option)
    result.stdout.fnmatch_lines([f"{expected}  {situation.name}  1 test*"])
    failed = result.ret == pytest.ExitCode.TESTS_FAILED
    assert failed == (expected == "failed"), result.stdout.str()


def test_the_table_is_complete() -> None:
    assert [row[0] for row in TABLE] == list(SITUATIONS)
