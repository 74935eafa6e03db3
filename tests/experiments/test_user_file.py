"""A function in a file of the user's, and its lines in a traceback."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.experiments import ExperimentResult, FileExperiment
from pytest_potmodels.experiments.code_of import code_of, file_of
from pytest_potmodels.experiments.user_file import split_target

Run = Callable[..., ExperimentResult]

TRAIN = """
import random
import neighbour

drawn = random.random()
calls = []

def run(context):
    calls.append(1)
    return {"drawn": drawn, "calls": len(calls), "near": neighbour.NAME}

def other(context):
    def inner(): ...
    return {"name": __name__}

again = run
if drawn > 2:
    def never(context): ...
"""


@pytest.fixture
def train(clean: Path) -> Path:
    (clean / "neighbour.py").write_text("NAME = 'next door'")
    file = clean / "train.py"
    file.write_text(TRAIN)
    return file


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("train.py", ("train.py", "run")),
        ("train.py:fit", ("train.py", "fit")),
        ("a/b.py:fit", ("a/b.py", "fit")),
        ("C:\\x\\train.py", ("C:\\x\\train.py", "run")),
        ("C:\\x\\train.py:fit", ("C:\\x\\train.py", "fit")),
        ("train.py:", ("train.py:", "run")),
        ("train.py:a-b", ("train.py:a-b", "run")),
    ],
)
def test_file_and_function(text: str, parts: tuple[str, str]) -> None:
    assert split_target(text) == (Path(parts[0]), parts[1])


def test_the_file_runs_under_the_seed_and_anew_in_each_repeat(run: Run, train: Path) -> None:
    before = list(sys.path)
    first, second = (repeat.metrics for repeat in run(FileExperiment(train), repeats=2).repeats)
    assert (first["calls"], second["calls"], first["near"]) == (1, 1, "next door")
    assert first["drawn"] != second["drawn"]
    assert run(FileExperiment(train)).metrics == first
    assert sys.path == before
    assert not {"train", "neighbour"} & set(sys.modules)


def test_a_neighbour_runs_anew_in_each_repeat(run: Run, train: Path) -> None:
    (train.parent / "neighbour.py").write_text("import random, colorsys\nNAME = random.random()")
    first, second = run(FileExperiment(train), repeats=2).repeats
    (alone,) = run(FileExperiment(train), seed=second.seed).repeats
    assert first.metrics["near"] != second.metrics["near"] == alone.metrics["near"]
    assert "colorsys" in sys.modules  # What is nobody's own is imported once.


def test_a_file_in_a_package_imports_as_one(run: Run, clean: Path) -> None:
    folder = clean / "lab" / "deep"
    folder.mkdir(parents=True)
    for made in (folder.parent, folder):
        (made / "__init__.py").touch()
    (folder.parent / "shared.py").write_text("HALF = 0.5")
    (folder / "near.py").write_text("WORD = 'near'")
    file = folder / "trial.py"
    file.write_text(
        "import near\nfrom ..shared import HALF\n"
        "def run(context):\n    return {'half': HALF, 'near': near.WORD, 'name': __name__}\n"
    )
    for _ in range(2):
        found = run(FileExperiment(file)).metrics
        assert found == {"half": 0.5, "near": "near", "name": "lab.deep.trial"}
    assert not [name for name in sys.modules if name.startswith("lab")]


def test_what_the_file_does_to_the_path_is_undone(run: Run, clean: Path) -> None:
    (clean / "random.py").write_text("import sys\ndef run(c):\n    sys.path.clear()\n    return {}")
    before = list(sys.path), sys.modules["random"]
    FileExperiment(clean / "random.py")(cast(Any, None))
    assert (sys.path, sys.modules["random"]) == before


def test_the_code_is_the_file(run: Run, train: Path) -> None:
    one = run(FileExperiment(train, "other"))
    assert (one.code.function, one.code.file) == ("other", "train.py")
    assert one.metrics == {"name": "train"}
    train.write_text(TRAIN + "\n# changed\n")
    assert FileExperiment(train, "other").code.sha256 != one.code.sha256


@pytest.mark.parametrize("name", ["again", "never", "neighbour"])
def test_whatever_the_file_names_at_its_top_level_is_found(name: str, train: Path) -> None:
    assert FileExperiment(train, name).function == name


@pytest.mark.parametrize(("name", "close"), [("rnu", ["run"]), ("inner", ["never"])])
def test_a_function_that_is_not_there_is_told_before_anything_runs(
    name: str, close: list[str], train: Path
) -> None:
    train.write_text(TRAIN + "\nraise SystemExit('ran')\n")
    with pytest.raises(UnknownNameError) as raised:
        FileExperiment(train, name)
    assert raised.value.matches == close


@pytest.mark.parametrize(
    "text", ["def run(:", b"\xff", "x = '\0'"], ids=["syntax", "bytes", "null"]
)
def test_a_file_that_is_no_python(text: Any, clean: Path) -> None:
    file = clean / "train.py"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(UsageError, match=r"train\.py is no Python"):
        FileExperiment(file)


def test_a_file_that_is_not_there(clean: Path) -> None:
    with pytest.raises(UsageError, match="There is no file"):
        FileExperiment(clean / "train.py")


def test_an_error_while_the_file_runs_is_the_functions(run: Run, train: Path) -> None:
    train.write_text("import nothing_of_that_name\ndef run(context): ...")
    with pytest.raises(ModuleNotFoundError):
        run(FileExperiment(train))


class Callable_:  # noqa: N801 - a class of the user's
    def __call__(self, context: Any) -> dict[str, Any]:
        return {}


def test_the_code_of_what_can_be_called() -> None:
    here = Path(__file__)
    assert code_of(partial(test_file_and_function, text="")).function == "test_file_and_function"
    assert file_of(partial(test_file_and_function)) == str(here)
    assert file_of(Callable_()) == str(here)
    assert code_of(Callable_()).sha256 == code_of(test_file_and_function).sha256 != ""
    names: dict[str, Any] = {}
    exec(compile("def made(context): return {}", "<notebook>", "exec"), names)  # noqa: S102
    assert code_of(names["made"]).sha256 == ""  # Nobody knows the source.
    assert code_of(len).function == "len"
