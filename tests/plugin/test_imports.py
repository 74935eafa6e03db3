"""The plugin is in every pytest start of its environment: it may cost next to nothing."""

import sys

import pytest

HEAVY = (
    "torch", "torchvision", "transformers", "onnx", "onnxruntime", "huggingface_hub", "duckdb",
    "numpy", "yaml", "rich", "filelock", "httpx2", "click",
)  # fmt: skip

REPORT = f"""
import sys

def pytest_sessionfinish(session):
    print("heavy:", sorted(set({HEAVY!r}) & set(sys.modules)))
"""


@pytest.mark.parametrize("option", [(), ("--pot-preset=paper",)])
def test_collecting_imports_no_heavy_library(
    pytester: pytest.Pytester, option: tuple[str, ...]
) -> None:
    pytester.makeconftest(REPORT)
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.requires_model("bert")
        def test_it(minimal_vision_model, language_model, pot_models, lut_model, lut_heldout): ...
        """
    )
    # Other plugins of this environment import libraries of their own.
    result = pytester.run(
        sys.executable, "-m", "pytest", "--collect-only", "-p", "no:hypothesispytest",
        "-p", "no:anyio", *option,
    )  # fmt: skip
    result.stdout.fnmatch_lines(["heavy: []*"])
    assert result.ret == 0


def test_without_model_tests_only_the_option_table_is_imported(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeconftest(
        """
        import sys

        def pytest_unconfigure():
            print("ours:", sorted(m for m in sys.modules if m.startswith("pytest_potmodels")))
        """
    )
    pytester.makepyfile("def test_it(): pass")
    for name in ("POT_CACHE_DIR", "POT_MIRRORS", "HF_ENDPOINT"):
        monkeypatch.delenv(name)
    result = pytester.run(sys.executable, "-m", "pytest", "-s")
    result.stdout.fnmatch_lines(
        [
            "ours: ['pytest_potmodels', "
            "'pytest_potmodels.hookspecs', 'pytest_potmodels.plugin', 'pytest_potmodels.settings']"
        ]
    )
