import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module; benchmarks are programs, and no package."""
    spec = spec_from_file_location("figures", BENCHMARKS / "figures.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "figures", module)  # A dataclass looks for its module.
    spec.loader.exec_module(module)
    return module


def report(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(BENCHMARKS / "report.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_help_names_every_benchmark_there_is() -> None:
    said = report("--help")
    assert said.returncode == 0, said.stderr
    programs = [path.stem for path in BENCHMARKS.glob("*.py")]
    measuring = [name for name in programs if "\ndef figures(" in source(name)]
    assert len(measuring) >= 7
    assert {name for name in measuring if name not in " ".join(said.stdout.split())} == set()


def source(name: str) -> str:
    return (BENCHMARKS / f"{name}.py").read_text(encoding="utf-8")


def test_a_benchmark_that_does_not_exist_is_an_error_that_names_those_that_do() -> None:
    said = report("loding")
    assert said.returncode == 2
    assert "no benchmark loding" in said.stderr
    assert "loading" in said.stderr


def test_each_figure_is_a_line_with_its_ratio_goal_and_verdict(figures: Any) -> None:
    some = [
        figures.Figure("best", 10.0, 1.0, "ms", 0.5, stretch=0.2, beside="a copy"),
        figures.Figure("good", 10.0, 4.0, "ms", 0.5, stretch=0.2),
        figures.Figure("bad", 10.0, 6.0, "ms", 0.5),
        figures.Figure("exact", 3.0, 0.0, "", 0.0),
    ]
    head, *lines = figures.table(some).splitlines()
    assert head.split() == ["figure", "stock", "ours", "ratio", "goal", "stretch"]
    assert [" ".join(line.split()) for line in lines] == [
        "best (beside a copy) 10 ms 1 ms 0.1 0.5 0.2 stretch met",
        "good 10 ms 4 ms 0.4 0.5 0.2 met",
        "bad 10 ms 6 ms 0.6 0.5 MISSED",
        "exact 3 0 0 0 met",
    ]
    assert len({line.index(" ms") for line in lines[:3]}) == 1


def test_parts_come_last_and_are_not_judged(figures: Any) -> None:
    some = [
        figures.Figure("part", 10.0, 20.0, "ms", None),
        figures.Figure("whole", 10.0, 1.0, "ms", 0.5),
    ]
    lines = figures.table(some).splitlines()
    assert [line.split()[:1] for line in lines[1:]] == [["whole"], [], ["part"]]
    assert lines[-1].split() == ["part", "10", "ms", "20", "ms", "2"]


def test_a_ratio_is_that_of_pairs_not_of_medians(figures: Any) -> None:
    figure = figures.of_pairs("name", [(1.0, 1.0), (10.0, 5.0), (100.0, 40.0)], "s", 0.5)
    assert (figure.stock, figure.ours) == (10.0, 5.0)
    assert figure.ratio == 0.5
    slow = figures.of_pairs("name", [(1.0, 3.0), (2.0, 4.0), (3.0, 3.0)], "s", 0.5)
    assert slow.ratio == 2.0
