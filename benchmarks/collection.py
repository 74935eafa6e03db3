"""What the plugin costs a large suite: 10,000 tests, half of them with marks of ours.

Processor time of whole pytest runs, with the plugin and with `-p no:potmodels`, one after the
other in turns, because a busy machine slows both alike. The tests do nothing and load nothing.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from figures import Figure, of_pairs, table
from pytest_runs import seconds

ROUNDS = 7
GOAL = 1.03
MODULES = 100
#: A hundred tests: 40 bare ones, 10 with a fixture, 50 with marks of each kind and in each place.
MODULE = """
import pytest

@pytest.mark.parametrize("n", range(30))
def test_bare(n): pass

class TestBare:
    @pytest.mark.parametrize("n", range(10))
    def test_it(self, n): pass

@pytest.mark.parametrize("n", range(10))
def test_fixture(tmp_path_factory, n): pass

@pytest.mark.pot_model("bert")
@pytest.mark.parametrize("n", range(20))
def test_marked(n): pass

@pytest.mark.pot_preset("paper")
class TestMarked:
    @pytest.mark.parametrize("n", range(10))
    def test_preset(self, n): pass

    @pytest.mark.pot_model("resnet18", kind="vision")
    @pytest.mark.parametrize("n", range(10))
    def test_model(self, n): pass

@pytest.mark.parametrize("name", [
    pytest.param(n, marks=pytest.mark.pot_model(f"org/model-{n}", kind="language"))
    for n in range(10)
])
def test_parameters(name): pass
"""
#: Without the plugin pytest would warn of the marks.
INI = "[pytest]\nmarkers =\n    pot_model: x\n    pot_preset: x\n"
CASES = {"10,000 tests collected": ["--collect-only"], "10,000 tests run": []}
OFFLINE = {"POT_NETWORK": "block"}  # Else the models would be fetched.


def figures() -> list[Figure]:
    """The suite collected, and run."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "pytest.ini").write_text(INI)
        for number in range(MODULES):
            (folder / f"test_{number}.py").write_text(MODULE)
        seconds(folder, [], OFFLINE)  # Writes .pyc files.
        return [
            of_pairs(name, list(pairs(folder, options)), "s", GOAL, beside="-p no:potmodels")
            for name, options in CASES.items()
        ]


def pairs(folder: Path, options: list[str]) -> Iterator[tuple[float, float]]:
    """Seconds without and with the plugin, in turns, each first every other time."""
    without = [*options, "-p", "no:potmodels"]
    for number in range(ROUNDS):
        if number % 2:
            ours = seconds(folder, options, OFFLINE)
            yield seconds(folder, without, OFFLINE), ours
        else:
            yield seconds(folder, without, OFFLINE), seconds(folder, options, OFFLINE)


if __name__ == "__main__":
    print(table(figures()))
