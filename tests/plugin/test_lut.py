"""`lut_model` and its marks: a real network, pristine for each test, with exact answers."""

from pathlib import Path

import onnx
import pytest
from lut_folders import write_network

#: Imported for good: a run in this process forgets its imports, and onnx loads only once.
assert onnx.__version__


@pytest.fixture
def networks(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Networks of the user's own: the one that `lut_model` is by default, and `tiny`."""
    folder = pytester.path / "networks"
    for name in ("digits_small", "tiny"):
        write_network(folder, name)
    write_network(folder, "untrained", with_weights=False, with_bits=False)
    monkeypatch.setenv("POT_LUT_PATH", str(folder))
    return folder


TESTS = """
import numpy as np
import pytest
import torch

X = torch.arange(64 * 5, dtype=torch.float32).reshape(5, 64) % 17


def test_by_default(lut_model):
    assert str(lut_model.id) == "lut:digits_small"
    assert (lut_model.source, lut_model.is_mock, lut_model.kind) == ("cached", False, "lut")
    assert lut_model.config["layer_widths"] == [40, 20]


def test_answers_are_integers(lut_model):
    hardened = lut_model.hardened()
    assert hardened(X).dtype == np.int32
    exact = lut_model(X, eval_mode="deterministic")
    assert np.array_equal(exact.numpy(), hardened.logits(X))


def test_spoils_its_own(lut_model):
    with torch.no_grad():
        for parameter in lut_model.model.parameters():
            parameter.zero_()
    lut_model.model.config.runtime["temperature"] = 7.0


@pytest.mark.parametrize("attempt", [1, 2])
def test_is_pristine(lut_model, attempt):
    assert all(bool(parameter.any()) for parameter in lut_model.model.parameters())
    assert lut_model.model.config.setting("temperature") == 1.0
    assert not lut_model.model.training


@pytest.mark.pot_model("lut:tiny", eval_mode="sampling", num_samples=2)
@pytest.mark.parametrize("attempt", [1, 2])
def test_draws_from_a_seed(lut_model, attempt, request):
    assert "sampling, num_samples 2, seed 0" in repr(lut_model)
    drawn = lut_model(X)
    assert not torch.equal(drawn, lut_model(X))
    first = request.config.cache.get("first", drawn.tolist())
    request.config.cache.set("first", first)
    assert drawn.tolist() == first


@pytest.mark.pot_model("tiny", output_tau=2.0, regularizers={"entropy": {"weight": 0.5}})
def test_takes_runtime_values(lut_model, pot_models):
    hardened = lut_model.hardened()
    assert hardened.output_tau == 2.0
    assert np.array_equal(lut_model(X, eval_mode="hard").numpy(), hardened.logits(X))
    assert lut_model.model.get_regularization_loss() > 0
    assert pot_models.load("tiny", temperature=0.5).model.config.setting("temperature") == 0.5
    assert pot_models.shared("tiny") is pot_models.shared("lut:tiny")
    assert (pot_models.path("tiny") / "tiny.yaml").is_file()


@pytest.mark.requires_model("lut:untrained")
def test_nobody_has_trained_it(lut_model): ...


def test_digits(lut_heldout):
    assert lut_heldout.images.shape == (360, 64)
    assert sorted(set(lut_heldout.labels.tolist())) == list(range(10))
"""


def test_a_network_is_pristine_and_exact(pytester: pytest.Pytester, networks: Path) -> None:
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_inprocess("-rs")
    result.assert_outcomes(passed=9, skipped=1)
    said = result.stdout.str()
    assert "lut:untrained [not-cached]" in said
    assert "potmodels lut train untrained" in said
    assert "9 tests with models: 8 on real models, 1 skipped" in said


def test_its_onnx_form_is_the_same_bits(pytester: pytest.Pytester, networks: Path) -> None:
    pytester.makepyfile(
        """
        import pytest
        import torch
        from pytest_potmodels import UsageError

        X = torch.arange(64 * 5, dtype=torch.float32).reshape(5, 64) % 17

        @pytest.mark.pot_model("tiny", eval_mode="deterministic")
        def test_it(lut_model, onnx_model, pot_models):
            answer = onnx_model(X)
            assert torch.equal(answer.logits, lut_model(X))
            assert answer.counts.tolist() == lut_model.hardened()(X).tolist()
            assert (str(onnx_model.id), onnx_model.tolerance) == ("lut:tiny", 0.0)
            assert onnx_model.config["num_classes"] == 10
            tau = pot_models.onnx("tiny", output_tau=1.0)
            assert torch.equal(tau(X).logits, answer.counts.float())
            with pytest.raises(UsageError, match="it takes no temperature"):
                pot_models.onnx("tiny", temperature=2)

        @pytest.mark.pot_model("mock:lut")
        def test_the_stand_in(onnx_model, lut_model):
            assert onnx_model.is_mock
            assert onnx_model(X).counts.tolist() == lut_model.hardened()(X).tolist()
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=2)


def test_a_mock_is_asked_for(pytester: pytest.Pytester, networks: Path) -> None:
    pytester.makepyfile(
        """
        import numpy as np
        import pytest
        import torch

        @pytest.mark.pot_model("tiny", temperature=0.5)
        def test_it(lut_model):
            assert (str(lut_model.id), lut_model.source) == ("mock:lut", "mock")
            assert lut_model.is_mock
            x = torch.zeros(2, 64)
            assert lut_model.model.config.setting("temperature") == 0.5
            assert lut_model(x).shape == lut_model.hardened()(x).shape == (2, 10)

        @pytest.mark.requires_model("tiny")
        def test_the_real_one_only(lut_model): ...
        """
    )
    result = pytester.runpytest_inprocess("--pot-mock=always")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["mock asked for  tiny *1 test, asked-for*"])


def test_what_a_test_changes_is_told(pytester: pytest.Pytester, networks: Path) -> None:
    pytester.makepyfile(
        """
        import torch

        def test_reads(lut_model):
            lut_model(torch.zeros(1, 64))

        def test_writes(lut_model):
            with torch.no_grad():
                next(lut_model.model.parameters()).zero_()
            lut_model.model.train()
        """
    )
    result = pytester.runpytest_inprocess("--pot-check-mutations")
    result.assert_outcomes(passed=2)
    said = result.stdout.str()
    assert "wrote layers.0.node" in said
    assert "switched between training and evaluation" in said
    assert "test_reads" not in said


def test_nothing_is_fetched(pytester: pytest.Pytester, networks: Path) -> None:
    pytester.makepyfile("def test_it(lut_model, lut_heldout): ...")
    said = pytester.runpytest_inprocess("--pot-plan=json", "-q").stdout.str()
    assert '"state": "cached"' in said
    assert '"lut_model is lut:digits_small where nothing names another"' in said
    pytester.runpytest_inprocess("--pot-offline").assert_outcomes(passed=1)


WRONG = {
    "a misspelt runtime key": (
        'pot_model("tiny", temprature=2)', "unknown key 'temprature'. Did you mean 'temperature'"),
    "a structural key": (
        'pot_model("tiny", layer_widths=[3])', "layer_widths is structural: fixed by"),
    "a value out of range": (
        'pot_model("tiny", temperature=-1)', "temperature must be a finite number > 0, got -1"),
    "a misspelt mode": ('pot_model("tiny", eval_mode="hardd")', "Did you mean 'hard'"),
    "no plain value": ('pot_model("tiny", seed=object())', "seed must be"),
    "a head": ('pot_model("tiny", task="fill-mask")', "is a LUT network, which takes no task"),
    "another kind": ('pot_model("tiny", kind="vision")', "is a lut model, not a vision model"),
    "a variant": ('pot_model("tiny", variant="int8")', "no numbers to make smaller"),
    "a misspelt network": ('pot_model("lut:tinny")', "unknown LUT network 'tinny'. Did you mean"),
    "a runtime key of another model": (
        'pot_model("bert", temperature=2)', "unknown argument of pot_model 'temperature'"),
}  # fmt: skip


def test_marks_that_cannot_be_meant_are_collection_errors(
    pytester: pytest.Pytester, networks: Path
) -> None:
    tests = [
        f"@pytest.mark.{mark}\ndef test_{number}(lut_model): ..."
        for number, (mark, _) in enumerate(WRONG.values())
    ]
    pytester.makepyfile("\n\n".join(["import pytest", *tests]))
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    said = " ".join(result.stdout.str().split())
    missing = [case for case, (_, expected) in WRONG.items() if expected not in said]
    assert not missing, said
