"""`onnx_model` and its kin: which model, what a test gets, and what is said where it cannot."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docs.project import clean_environment
from loading.graphs import dense
from made_once import MINILM, Once
from standin import StandIn

from pytest_potmodels.store import disk

#: The exporter's libraries come in a process of their own, and never here.
NO_TORCH = """
import sys

def pytest_runtest_teardown(item):
    print("frameworks:", sorted({"torch", "transformers", "onnx"} & set(sys.modules)))
"""


#: Each worker gets the test, and both want the file at once.
_RACE = """
import json, os

def test_it(test_onnx_model, worker_id):
    stat = os.stat(test_onnx_model.path / "model.onnx")
    with open(f"seen-{worker_id}.json", "w", encoding="utf-8") as stream:
        json.dump([stat.st_ino, stat.st_mtime_ns], stream)
    assert test_onnx_model.is_mock
"""


@pytest.fixture(scope="session")
def two_workers(once: Once) -> tuple[Path, list[Any]]:
    """A cache that was empty, and what two workers of one run saw that wanted the same file."""

    def race(folder: Path) -> list[Any]:
        (folder / ".git").mkdir()
        (folder / "test_it.py").write_text(_RACE, encoding="utf-8")
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n2", "--dist=each"],
            env={**clean_environment(folder), "POT_CACHE_DIR": str(folder / "cache"),
                 "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)},
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "2 passed" in ended.stdout, ended.stdout
        return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("seen-*.json"))]

    folder, seen = once("two-workers", race)
    return folder / "cache", seen


@pytest.fixture
def exports(two_workers: tuple[Path, list[Any]], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that has the stand-in's file."""
    monkeypatch.setenv("POT_CACHE_DIR", str(two_workers[0]))
    return two_workers[0]


@pytest.fixture
def encoder(
    cold: tuple[Path, list[Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """A cache of this test's own that has the real encoder's file; its name."""
    shutil.copytree(cold[0] / "derived", tmp_path / "encoder" / "derived")
    monkeypatch.setenv("POT_CACHE_DIR", str(tmp_path / "encoder"))
    yield MINILM
    disk.delete(tmp_path / "encoder")


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
    warm = run(pytester, "-s")
    warm.assert_outcomes(passed=2)
    # The first of a cold run comes from another process, too; a hypothesis plugin imports numpy.
    warm.stdout.fnmatch_lines(["*frameworks: []*"] * 2)
    warm.stdout.fnmatch_lines(["mock asked for  mock-cnn (onnx)  2 tests, 1.0 MB, loaded*"])


@pytest.mark.slow
def test_beside_a_language_model_it_is_the_same_model(
    pytester: pytest.Pytester, encoder: str
) -> None:
    pytester.makepyfile(
        f"""
        import pytest
        import pytest_potmodels as pot
        import torch

        @pytest.mark.requires_model("{encoder}")
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

        @pytest.mark.requires_model("{encoder}")
        def test_alone(onnx_model):
            import numpy as np

            ids = np.ones((1, 4), "int64")
            assert onnx_model({{each.name: ids for each in onnx_model.inputs}})[0].shape[1] == 4

        def test_refuses(pot_models):
            with pytest.raises(pot.UsageError, match="Did you mean 'input_ids'"):
                pot_models.onnx("{encoder}")(input_id=torch.zeros(1, 2).long())
        """
    )
    result = run(pytester, "--pot-report=report.json")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines([f"real  {encoder}  *", f"real  {encoder} (onnx)  *"])
    rows = json.loads((pytester.path / "report.json").read_text(encoding="utf-8"))["rows"]
    assert [row["form"] for row in rows] == ["onnx", "", "onnx", "onnx"]
    assert all(row["outcome"] == "real" for row in rows)
    pytester.makeconftest(NO_TORCH)
    test = next(pytester.path.glob("test_*.py"))
    test.write_text(test.read_text("utf-8").replace("import torch\n", ""), encoding="utf-8")
    run(pytester, "-s", "-k", "alone").stdout.fnmatch_lines(["*frameworks: []*"])


def test_two_workers_convert_once(two_workers: tuple[Path, list[Any]]) -> None:
    cache, seen = two_workers
    assert len(seen) == 2
    assert seen[0] == seen[1]
    assert len(list((cache / "derived").glob("onnx-*"))) == 1


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


def test_who_waits_is_told_and_a_failure_is_not_tried_again(
    pytester: pytest.Pytester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POT_CACHE_DIR", str(tmp_path / "cold"))
    pytester.makeconftest(
        """
        import os
        from pathlib import Path

        import pytest
        from pytest_potmodels.onnx_export import Input, Recipe, register_recipe

        inputs = (Input("pixels", ("batch", 3)),)
        register_recipe(Recipe("mine", inputs, classes=("MockVision*",)))

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_protocol(item):
            # Here, the time of a test begins to count for who limits it.
            failed = Path(os.environ["POT_CACHE_DIR"], ".pot", "failed-exports")
            assert len(list(failed.glob("*.json"))) == 1
            return (yield)
        """
    )
    pytester.makepyfile("def test_1(test_onnx_model): ...\ndef test_2(test_onnx_model): ...")
    line = "potmodels: making the ONNX file of mock:vision, once for this machine"
    result = run(pytester, "-rs")
    result.assert_outcomes(skipped=2)
    assert result.outlines.count(line) == 1
    result.stdout.fnmatch_lines(["*[[]not-exportable[]]*'mine' feeds pixels*"] * 2)
    again = run(pytester, "-rs")
    again.assert_outcomes(skipped=2)
    assert line not in again.outlines
    again.stdout.fnmatch_lines(["*This was found just now*"])


@pytest.mark.slow
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
