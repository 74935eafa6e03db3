"""Whatever a test does to its model, the next one has the original, bit for bit."""

import textwrap
from collections.abc import Callable

import pytest

Project = Callable[..., pytest.RunResult]

#: Nobody can tell written pages, as on macOS, on Windows and in some sandboxes.
NO_SCAN = """
from pytest_potmodels.loading import original
original.best_scan = lambda: None
"""

MODES = {
    "pages are put back": ((), ""),
    "no scan": ((), NO_SCAN),
    "two workers": (("-n2",), ""),
    "two workers, no scan": (("-n2",), NO_SCAN),
}
each_way = pytest.mark.parametrize(
    ("options", "conftest"),
    [
        pytest.param(*MODES["pages are put back"], id="pages are put back"),
        pytest.param(*MODES["no scan"], id="no scan", marks=pytest.mark.slow),
        pytest.param(*MODES["two workers"], id="two workers", marks=pytest.mark.slow),
        pytest.param(
            *MODES["two workers, no scan"], id="two workers, no scan", marks=pytest.mark.slow
        ),
    ],
)

#: As above, for what does not depend on the number of workers.
both_ways = pytest.mark.parametrize(
    ("options", "conftest"),
    [
        pytest.param(*MODES["pages are put back"], id="pages are put back"),
        pytest.param(*MODES["two workers, no scan"], id="otherwise", marks=pytest.mark.slow),
    ],
)

#: Before each test's own deeds the model is compared with the stock loader's.
EACH_IS_PRISTINE = """
import copy, json, os
import pytest, torch
from plugin.mutations import MUTATIONS, loss
from pytest_potmodels.artifacts import state_checksum
from pytest_potmodels.loading.mapped.likeness import first_difference

SUMS = json.loads(os.environ["SUMS"])
IDS = torch.tensor([[5, 7, 9, 2], [4, 4, 1, 3]])
INPUTS = {"resnet": {"images": torch.linspace(-1, 1, 6144).view(2, 3, 32, 32)}}
FIRST = {}

def assert_pristine(model, name):
    assert state_checksum(model.state_dict()) == SUMS[name]
    stock, out = FIRST[name]
    assert first_difference(model, stock) == ""
    with torch.no_grad():
        assert torch.equal(loss(model, INPUTS.get(name, {"input_ids": IDS})), out)

@pytest.fixture(autouse=True)
def first(pot_models):
    for name in SUMS if not FIRST else ():
        stock = copy.deepcopy(pot_models.load(name).model)
        for ours, theirs in zip(pot_models.load(name).model.parameters(), stock.parameters()):
            vars(theirs).update(vars(ours))
        with torch.no_grad():
            FIRST[name] = stock, loss(stock, INPUTS.get(name, {"input_ids": IDS}))
        assert state_checksum(stock.state_dict()) == SUMS[name]
"""


@each_way
def test_every_deed_leaves_the_next_test_the_original(
    project: Project, options: tuple[str, ...], conftest: str
) -> None:
    result = project(
        EACH_IS_PRISTINE
        + textwrap.dedent(
            """
            @pytest.mark.parametrize("name", [
                pytest.param(n, marks=pytest.mark.pot_model(n, kind=k))
                for n, k in (("resnet", "vision"), ("bert", "language"), ("gpt", "language"))
            ])
            @pytest.mark.parametrize("deed", MUTATIONS, ids=lambda deed: deed.__name__)
            def test_it(deed, name, request, pot_models):
                if name == "resnet":
                    loaded = request.getfixturevalue("vision_model")
                else:
                    loaded = request.getfixturevalue("language_model")
                assert loaded.not_mapped == ""
                assert_pristine(loaded.model, name)
                deed(loaded.model, INPUTS.get(name, {"input_ids": IDS}))
                again = pot_models.load(name)
                assert_pristine(again.model, name)
                deed(again.model, INPUTS.get(name, {"input_ids": IDS}))
            """
        ),
        *options,
        conftest=conftest,
    )
    result.assert_outcomes(passed=27 * 3)


@both_ways
def test_models_in_every_scope_and_of_every_sort_of_test(
    project: Project, options: tuple[str, ...], conftest: str
) -> None:
    result = project(
        EACH_IS_PRISTINE
        + textwrap.dedent(
            """
            import unittest
            from hypothesis import given, settings, strategies

            KEPT = []

            def written(model):
                for tensor in (*model.parameters(), *model.buffers()):
                    tensor.data.zero_()

            def test_two_models_of_one_name_are_independent(pot_models):
                one, two = pot_models.load("gpt").model, pot_models.load("gpt").model
                written(one)
                assert_pristine(two, "gpt")
                written(two)
                assert_pristine(pot_models.load("gpt").model, "gpt")

            @pytest.mark.parametrize("turn", range(3))
            def test_a_model_in_a_global_stays_as_its_test_left_it(pot_models, turn):
                for index, kept in enumerate(KEPT):
                    assert (kept.fc.bias == index).all()
                model = pot_models.load("resnet").model
                assert_pristine(model, "resnet")
                model.fc.bias.data.fill_(len(KEPT))
                KEPT.append(model)

            @settings(max_examples=100, deadline=None)
            @given(rate=strategies.floats(0.1, 1))
            def test_a_body_that_runs_a_hundred_times(pot_models, rate):
                model = pot_models.load("gpt").model
                assert_pristine(model, "gpt")
                loss(model, {"input_ids": IDS}).backward()
                torch.optim.SGD(model.parameters(), lr=rate).step()

            @pytest.fixture(scope="module")
            def wide(pot_models):
                return pot_models.load("bert")

            class TestOfAModule:
                def test_one(self, wide, pot_models):
                    assert_pristine(wide.model, "bert")
                    wide.model.pooler.dense.bias.data.fill_(1)
                    assert_pristine(pot_models.load("bert").model, "bert")
                    wide.model.seen = [1]

                def test_two(self, wide, pot_models):
                    if hasattr(wide.model, "seen"):
                        assert (wide.model.pooler.dense.bias == 1).all()
                    written(pot_models.load("bert").model)

                def test_three(self, wide, pot_models):
                    assert_pristine(pot_models.load("bert").model, "bert")

            def test_shared_is_nobodys_copy(pot_models):
                shared = pot_models.shared("gpt")
                before = len(getattr(shared.model, "marks", []))
                shared.model.marks = [*getattr(shared.model, "marks", []), 1]
                assert pot_models.shared("gpt") is shared
                assert len(shared.model.marks) == before + 1
                copied = pot_models.load("gpt").model
                assert copied is not shared.model
                written(copied)
                assert_pristine(pot_models.load("gpt").model, "gpt")
                assert state_checksum(shared.model.state_dict()) == SUMS["gpt"]

            def test_shared_is_still_what_it_was(pot_models):
                assert state_checksum(pot_models.shared("gpt").model.state_dict()) == SUMS["gpt"]

            @pytest.mark.pot_model("bert")
            @pytest.mark.usefixtures("language_model")
            class Tests(unittest.TestCase):
                @pytest.fixture(autouse=True)
                def _model(self, language_model):
                    self.model = language_model.model

                def test_one(self):
                    assert_pristine(self.model, "bert")
                    written(self.model)

                def test_two(self):
                    assert_pristine(self.model, "bert")
                    written(self.model)

            @pytest.mark.pot_model("gpt")
            @pytest.mark.parametrize("turn", range(2))
            def test_two_fixtures_of_one_model_are_one(language_model, request, turn):
                assert request.getfixturevalue("language_model") is language_model
                assert_pristine(language_model.model, "gpt")
                written(language_model.model)
            """
        ),
        *options,
        conftest=conftest,
    )
    result.assert_outcomes(passed=14)


FAILS_IN_TRAINING = """
    import pytest, torch
    from pytest_potmodels.artifacts import state_checksum
    import json, os

    SUM = json.loads(os.environ["SUMS"])["gpt"]
    IDS = torch.tensor([[5, 7, 9, 2]])

    @pytest.mark.pot_model("gpt")
    @pytest.mark.parametrize("turn", range(4))
    def test_it(language_model, turn):
        assert state_checksum(language_model.model.state_dict()) == SUM, "not pristine"
        model = language_model.model.train()
        optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
        model(IDS).logits.sum().backward()
        optimizer.step()
        assert turn == 3, "in mid-training"
"""


@both_ways
def test_a_test_that_fails_in_training_leaves_the_next_the_original(
    project: Project, options: tuple[str, ...], conftest: str
) -> None:
    """Its traceback keeps the model; the report shows what it was about."""
    tests = textwrap.dedent(FAILS_IN_TRAINING)
    result = project(tests, "--showlocals", *options, conftest=conftest)
    result.assert_outcomes(passed=1, failed=3)
    assert result.stdout.str().count("AssertionError: in mid-training") >= 3
    assert "not pristine" not in result.stdout.str().replace('SUM, "not pristine"', "")


def test_an_error_in_a_fixture_or_a_teardown_leaves_the_next_the_original(
    project: Project,
) -> None:
    result = project(
        EACH_IS_PRISTINE
        + textwrap.dedent(
            """
            pytestmark = pytest.mark.pot_model("gpt")

            def written(loaded):
                assert_pristine(loaded.model, "gpt")
                for tensor in loaded.model.parameters():
                    tensor.data.zero_()

            @pytest.fixture
            def broken(language_model):
                written(language_model)
                raise ValueError("broken")

            @pytest.fixture
            def leaking(language_model):
                yield language_model
                written(language_model)
                raise ValueError("leaking")

            def test_error(broken): ...
            def test_after_an_error(language_model): written(language_model)
            def test_teardown(leaking): ...
            def test_after_a_teardown(language_model): written(language_model)
            @pytest.mark.xfail(strict=True)
            def test_expected(language_model):
                written(language_model)
                raise ValueError
            def test_skips(language_model):
                written(language_model)
                pytest.skip("enough")
            def test_after_all(language_model): written(language_model)
            """
        )
    )
    result.assert_outcomes(passed=4, errors=2, xfailed=1, skipped=1)


@pytest.mark.parametrize(
    ("options", "conftest"),
    [
        pytest.param(*MODES["pages are put back"], id="one"),
        pytest.param(*MODES["two workers, no scan"], id="two", marks=pytest.mark.slow),
    ],
)
def test_a_model_of_ones_own_is_built_once_in_each_worker(
    project: Project, options: tuple[str, ...], conftest: str, pytester: pytest.Pytester
) -> None:
    result = project(
        """
        import os
        from pathlib import Path

        import pytest, torch
        from safetensors.torch import load_file
        from torch import nn

        CALLS = Path("calls").absolute()

        class Classifier(nn.Module):
            def __init__(self, folder, classes):
                super().__init__()
                with CALLS.open("a") as calls:
                    calls.write(f"{os.getpid()} {classes}\\n")
                weights = load_file(folder / "model.safetensors")
                self.words = nn.Embedding.from_pretrained(
                    weights["embeddings.word_embeddings.weight"], freeze=False
                )
                self.head = nn.Linear(32, classes)
                nn.init.ones_(self.head.weight)
                nn.init.ones_(self.head.bias)

        @pytest.mark.parametrize("turn", range(12))
        def test_it(pot_models, turn):
            loaded = pot_models.load("bert", build=lambda folder: Classifier(folder, 3))
            assert loaded.not_mapped == ""
            assert (loaded.model.head.bias == 1).all()
            assert loaded.model.words.weight.any()
            assert loaded.model.training
            for tensor in loaded.model.parameters():
                tensor.data.zero_()
            loaded.model.head = None
            again = pot_models.load("bert", build=lambda folder: Classifier(folder, 3))
            assert (again.model.head.bias == 1).all()

        def test_another(pot_models):
            built = pot_models.load("bert", build=lambda folder: Classifier(folder, 4))
            assert built.model.head.out_features == 4

        @pytest.mark.parametrize("turn", range(2))
        def test_no_module(pot_models, turn):
            made = pot_models.load("bert", build=lambda folder: {"files": [*folder.iterdir()]})
            assert len(made.model["files"]) > 1
            made.model["files"].clear()
        """,
        *options,
        conftest=conftest,
    )
    result.assert_outcomes(passed=15)
    calls = (pytester.path / "calls").read_text(encoding="utf-8").split("\n")[:-1]
    assert len(calls) == len(set(calls))
    assert {call.split()[1] for call in calls} == {"3", "4"}
    assert len({call.split()[0] for call in calls}) == (2 if options else 1)


def test_a_model_can_be_saved_pickled_and_copied(project: Project) -> None:
    result = project(
        """
        import copy, io, pickle

        import pytest, torch
        from safetensors.torch import load_file, save_file, save_model

        def size(model):
            tensors = {id(t): t for t in model.state_dict(keep_vars=True).values()}
            return sum(t.nbytes for t in tensors.values())

        def same(one, two):
            assert list(one) == list(two)
            assert all(torch.equal(one[name], two[name]) for name in one)

        @pytest.mark.parametrize("name", ["resnet", "bert", "gpt"])
        def test_it(pot_models, name, tmp_path):
            model = pot_models.load(name).model
            state = model.state_dict()
            torch.save(state, tmp_path / "state.pt")
            torch.save(model, tmp_path / "model.pt")
            save_model(model, tmp_path / "model.safetensors")
            for path in tmp_path.iterdir():
                assert size(model) <= path.stat().st_size < 1.05 * size(model) + 100_000, path
            same(torch.load(tmp_path / "state.pt", weights_only=True), state)
            same(torch.load(tmp_path / "model.pt", weights_only=False).state_dict(), state)
            same(copy.deepcopy(model).state_dict(), state)
            same(pickle.loads(pickle.dumps(model)).state_dict(), state)
            one = next(iter(state.values()))
            torch.save(one, tmp_path / "one.pt")
            assert (tmp_path / "one.pt").stat().st_size < one.nbytes + 2000
            if name != "gpt":
                save_file(state, tmp_path / "plain.safetensors")
                saved = load_file(tmp_path / "plain.safetensors")
                assert all(torch.equal(saved[key], state[key]) for key in state)
            if name != "resnet":
                model.save_pretrained(tmp_path / "saved")
                again = type(model).from_pretrained(tmp_path / "saved")
                same(again.state_dict(), state)

        def test_a_loaded_model_can_be_deepcopied_whole(pot_models):
            loaded = pot_models.load("bert")
            assert copy.copy(loaded).model is loaded.model
        """
    )
    result.assert_outcomes(passed=4)


def test_a_model_can_be_trained_by_another_process(project: Project) -> None:
    result = project(
        """
        import pytest, torch
        import torch.multiprocessing as processes
        from torch import nn

        def build(folder):
            layer = nn.Linear(30, 30)
            nn.init.ones_(layer.weight)
            nn.init.ones_(layer.bias)
            return layer

        def child(model):
            for parameter in model.parameters():
                parameter.data.fill_(3)

        @pytest.mark.parametrize("how", ["fork", "spawn"])
        @pytest.mark.parametrize("turn", range(2))
        def test_it(pot_models, how, turn):
            model = pot_models.load("bert", build=build).model
            assert all((parameter == 1).all() for parameter in model.parameters())
            model.share_memory()
            context = processes.get_context(how)
            process = context.Process(target=child, args=(model,))
            process.start()
            process.join(120)
            assert process.exitcode == 0
            assert all((parameter == 3).all() for parameter in model.parameters())
        """
    )
    result.assert_outcomes(passed=4)


@pytest.mark.slow
def test_a_compiled_model_leaves_the_next_test_the_original(project: Project) -> None:
    result = project(
        EACH_IS_PRISTINE
        + textwrap.dedent(
            """
            @pytest.mark.parametrize("name", ["gpt", "resnet", "gpt"])
            def test_it(pot_models, name):
                model = pot_models.load(name).model
                assert_pristine(model, name)
                run = torch.compile(model)
                loss(run, INPUTS.get(name, {"input_ids": IDS})).backward()
                torch.optim.SGD(run.parameters(), lr=1.0).step()
            """
        )
    )
    result.assert_outcomes(passed=3)
