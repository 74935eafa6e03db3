"""`--pot-affinity` with pytest-xdist: under every `--dist`, and with groups where they count."""

import re
from collections import defaultdict
from itertools import pairwise

import pytest

PER_MODEL = 8
MODELS = ("bert", "gpt2", "resnet18")
#: The models by turns.
MODULE = f"""
import pytest

@pytest.mark.parametrize("model", [
    pytest.param(f"{{model}}_{{n}}", marks=pytest.mark.pot_model(model))
    for n in range({PER_MODEL}) for model in {MODELS}
])
def test_it(model): pass
"""
#: xdist reads the mark before any conftest has its say.
SHOWS_GROUPS = """
import pathlib

def pytest_collection_modifyitems(config, items):
    if not hasattr(config, "workerinput"):
        return
    groups = [[mark.args[0] for mark in item.iter_markers("xdist_group")] for item in items]
    pathlib.Path("groups").write_text(repr(groups))
"""


def by_worker(result: pytest.RunResult) -> list[list[str]]:
    """The models of each worker's tests, in the order in which it ran them."""
    ran = defaultdict(list)
    for worker, model in re.findall(r"\[(gw\d)\].* PASSED \S+\[(\w+)_\d", result.stdout.str()):
        ran[worker].append(model)
    return list(ran.values())


def changes(models: list[str]) -> int:
    return sum(before != after for before, after in pairwise(models))


@pytest.mark.parametrize(
    "dist",
    [
        *("load", "worksteal", "loadgroup"),
        *(pytest.param(dist, marks=pytest.mark.slow) for dist in ("loadscope", "loadfile", "each")),
    ],
)
def test_a_worker_goes_from_model_to_model_and_never_back(
    pytester: pytest.Pytester, dist: str
) -> None:
    pytester.makepyfile(test_a=MODULE, test_b=MODULE)
    result = pytester.runpytest_subprocess(
        "-n2", "-v", f"--dist={dist}", "--pot-affinity", "--pot-offline"
    )
    tests = 2 * PER_MODEL * len(MODELS)
    result.assert_outcomes(passed=2 * tests if dist == "each" else tests)
    workers = by_worker(result)
    assert len(workers) == 2
    # worksteal hands one worker's last tests to the other, which then begins anew.
    most = 2 * len(MODELS) if dist == "worksteal" else len(MODELS) - 1
    assert all(changes(models) <= most for models in workers)


def test_tests_of_a_model_are_a_group_and_groups_of_the_users_stay(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeconftest(SHOWS_GROUPS)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.pot_model("resnet18@IMAGENET1K_V1")
        def test_a(): pass

        @pytest.mark.xdist_group("mine")
        @pytest.mark.pot_model("resnet18")
        def test_b(): pass

        @pytest.mark.pot_model("bert")
        @pytest.mark.pot_model("resnet18")
        def test_c(): pass

        def test_d(): pass
        """
    )
    options = ("-n2", "--pot-affinity", "--pot-offline")
    pytester.runpytest_subprocess("--dist=loadgroup", *options).assert_outcomes(passed=4)
    groups = (pytester.path / "groups").read_text()
    assert groups == repr([
        ["torchvision:resnet18-IMAGENET1K_V1"], ["mine"],
        ["huggingface:bert-base-uncased+torchvision:resnet18"], [],
    ])  # fmt: skip
    pytester.runpytest_subprocess("--dist=load", *options).assert_outcomes(passed=4)
    assert (pytester.path / "groups").read_text() == repr([[], ["mine"], [], []])
