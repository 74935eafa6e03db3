"""How the Action comes by `potmodels`: from its own checkout, or as released; never in the job."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from action.jobs import ACTION, CACHE_ACTIONS, ROOT, Job, require_runner
from action.project import Project, facts, steps

import pytest_potmodels

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def offline_pip(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Pip with no index: what builds and what is needed lies beside, and the one wheel of ours."""
    require_runner()
    folder = tmp_path_factory.mktemp("pip")
    beside, wheels = folder / "beside", folder / "wheels"
    beside.mkdir()
    for path in _packages():
        (beside / path.name).symlink_to(path)
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",  # In pip's words: no isolation.
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": str(wheels),
        "PYTHONPATH": str(beside),
    }
    words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", str(wheels), str(ROOT)]
    subprocess.run(words, env=environ, check=True)
    return environ


def _packages() -> list[Path]:
    """What is installed here, but for this project."""
    site = Path(pytest.__file__).parents[1]
    ours = ("pytest_potmodels", "_editable_impl_pytest_potmodels", "__pycache__", "pip")
    return [path for path in site.iterdir() if not path.name.startswith(ours)]


def _job(folder: Path, action: Path, environ: dict[str, str]) -> Job:
    return Job(folder, actions={"./action": action, **CACHE_ACTIONS}, environ=environ)


@pytest.mark.parametrize("alone", [False, True], ids=["in its checkout", "as its own repository"])
def test_it_is_installed_in_an_environment_of_its_own(
    tmp_path: Path, offline_pip: dict[str, str], *, alone: bool
) -> None:
    action = tmp_path / "_actions" / "potmodels-action" if alone else ACTION
    if alone:
        shutil.copytree(ACTION, action)
    job = _job(tmp_path / "job", action, offline_pip)
    result = job.run(steps(python=sys.executable))
    assert result.step("install")["outcome"] == "success", result.log
    home = job.temp / f"potmodels-{pytest_potmodels.__version__}"
    assert Path(result.outputs("install")["python"]) == home / "bin/python"
    said = subprocess.run(
        [home / "bin/python", "-c", "import pytest_potmodels as p; print(p.__file__)"],
        cwd=tmp_path, env=offline_pip, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert Path(said.stdout).is_relative_to(home)
    (record,) = home.glob("lib/python*/site-packages/pytest_potmodels-*.dist-info")
    come_by_path = (record / "direct_url.json").exists()
    assert come_by_path is not alone


def test_a_python_that_is_none_is_told(tmp_path: Path) -> None:
    require_runner()
    result = _job(tmp_path, ACTION, {}).run(steps(python="$(touch pwned)"))
    assert not result.ok
    assert result.step("install")["outcome"] == "failure"
    assert "command not found" in result.log
    assert not list(tmp_path.rglob("pwned"))


_TESTS = b"""
import pytest


@pytest.mark.requires_model("huggingface:org/tiny")
def test_one(language_model): ...
"""


def test_a_plan_fetches_what_the_tests_need(project: Project) -> None:
    project.lock("huggingface:org/tiny", "huggingface:org/other")
    project.files["test_one.py"] = _TESTS
    project.files["pytest.ini"] = b"[pytest]\n"
    given = {"select": "plan", "python": sys.executable}
    cold = project.job().run(steps(**given))
    assert facts(cold, "cache-state", "saved", "verified-against") == {
        "cache-state": "miss",
        "saved": "true",
        "verified-against": "lock",
    }
    assert (project.site.log.gets("org/tiny") > 0, project.site.log.gets("org/other")) == (True, 0)
    warm = project.job().run(steps(**given))
    assert facts(warm, "cache-hit", "network-requests") == {
        "cache-hit": "true",
        "network-requests": "0",
    }


def test_a_plan_without_the_plugin_says_so(project: Project, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    result = project.job().run(steps(select="plan", python=str(bare / "bin/python")))
    assert not result.ok
    (error,) = result.said("error")
    assert "has no pytest with pytest-potmodels" in error
