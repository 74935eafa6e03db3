"""A lock file in force: pins bind, other bytes and what lies beyond stop the test."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from standin import Repo, StandIn
from standin.models import tiny_bert

from pytest_potmodels.cli.dispatch import potmodels

TESTS = """
import pytest

@pytest.mark.requires_model("org/model")
def test_required(): ...

def test_path(pot_models):
    assert pot_models.path("org/model@main").is_dir()
"""
BEYOND = """
def test_beyond(pot_models):
    pot_models.load("org/other")
"""
Command = Callable[..., str]


@pytest.fixture
def repo(site: StandIn, monkeypatch: pytest.MonkeyPatch) -> Repo:
    for name, value in site.environ().items():
        monkeypatch.setenv(name, value)
    site.add_repo("org/other", tiny_bert(seed=1))
    return site.add_repo("org/model", tiny_bert())


@pytest.fixture
def command(repo: Repo, pytester: pytest.Pytester) -> Command:
    """`potmodels`, in the folder of the tests."""
    (pytester.path / ".git").mkdir()

    def run(*words: str) -> str:
        result = CliRunner().invoke(potmodels, words)
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


@pytest.fixture
def lock(command: Command, pytester: pytest.Pytester) -> Path:
    """A lock with org/model, whose branch has moved since."""
    command("lock", "org/model")
    return pytester.path / "potmodels.lock"


def moved(repo: Repo) -> str:
    """The commit that was, after another one has taken its branch."""
    before = repo.sha
    repo.commit({**tiny_bert(), "vocab.txt": b"other\n"})
    return before


def changed(lock: Path) -> str:
    text = lock.read_text(encoding="utf-8")
    digest: str
    (digest,) = re.findall(r'path = "vocab.txt".*sha256 = "([0-9a-f]{64})"', text)
    lock.write_text(text.replace(digest, "ab" * 32), encoding="utf-8")
    return digest


@pytest.mark.parametrize(
    "workers", [pytest.param((), marks=pytest.mark.slow), ("-n2",)], ids=["alone", "-n2"]
)
def test_the_pin_is_fetched_once_and_a_warm_run_asks_nobody(
    pytester: pytest.Pytester, repo: Repo, site: StandIn, lock: Path, tmp_path: Path,
    workers: tuple[str, ...],
) -> None:  # fmt: skip
    pinned = moved(repo)
    pytester.makepyfile(TESTS)
    site.log.clear()
    cold = (*workers, f"--pot-cache-dir={tmp_path / 'new'}", "--pot-locked")
    result = pytester.runpytest_subprocess(*cold)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [f"potmodels:*lock={lock} (found)*, 1 model in the lock", f"real*@{pinned[:8]} sha256 *"]
    )
    assert site.log.gets("model.safetensors") == 1
    site.log.clear()
    pytester.runpytest_subprocess(*cold).assert_outcomes(passed=2)
    assert list(site.log) == []


def test_an_edited_digest_fails_the_test_and_is_no_mock_and_no_skip(
    pytester: pytest.Pytester, repo: Repo, lock: Path
) -> None:
    changed(lock)
    pytester.makepyfile(
        """
        import pytest

        def test_fixture(language_model): ...

        @pytest.mark.requires_model("org/model")
        def test_required(): ...
        """
    )
    pytester.makefile(".toml", potmodels='[presets.minimal]\nlanguage = "org/model"\n')
    result = pytester.runpytest_subprocess("--pot-missing=skip")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines([f"*DigestMismatchError: *vocab.txt: {lock}:*{'ab' * 32}*"])


def test_beyond_the_lock_is_no_mock_and_no_skip(
    pytester: pytest.Pytester, repo: Repo, site: StandIn, lock: Path
) -> None:
    beyond = BEYOND.replace("load", "path")  # Which brings no framework.
    marked = beyond.replace("def", "import pytest\n@pytest.mark.requires_model('org/other')\ndef")
    pytester.makepyfile(TESTS + marked)
    site.log.clear()
    result = pytester.runpytest_subprocess("--pot-locked", "--pot-missing=skip")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(
        ["NotLockedError: huggingface:org/other is not in *", "failed  org/other  *not-locked: *"]
    )
    assert list(site.log) == []
    pytester.runpytest_subprocess().assert_outcomes(passed=3)


def test_a_revision_that_is_not_the_pin_is_an_error(
    pytester: pytest.Pytester, repo: Repo, lock: Path
) -> None:
    pytester.makepyfile("def test_it(pot_models):\n    pot_models.path('org/model@v2')\n")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*UsageError: 'org/model@v2' names the revision v2*{repo.sha}*"])


def test_the_plan_shows_pins_and_what_is_beyond_them(
    pytester: pytest.Pytester, repo: Repo, lock: Path
) -> None:
    marked = BEYOND.replace("def", "@pytest.mark.requires_model('org/other')\ndef")
    pytester.makepyfile(TESTS + marked)
    result = pytester.runpytest_subprocess("--pot-plan", "--pot-locked")
    result.stdout.fnmatch_lines(
        [
            f"org/model  huggingface:org/model  {repo.sha[:8]}  *cached",
            "org/other  huggingface:org/other  -  *unavailable: not-locked: *",
        ]
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--pot-lock=nowhere.lock",), "*no lock file that can be read at *nowhere.lock*"),
        (("--pot-locked",), "*there is no lock file*"),
        (("--pot-report=report.html",), "*report.html* ends in .html*"),
    ],
)
def test_what_cannot_be_meant_ends_the_run_at_once(
    pytester: pytest.Pytester, repo: Repo, options: tuple[str, ...], said: str
) -> None:
    pytester.makepyfile("def test_it(): ...")
    result = pytester.runpytest_subprocess(*options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([said])


def test_a_broken_lock_ends_the_run_at_once(
    pytester: pytest.Pytester, repo: Repo, lock: Path
) -> None:
    text = lock.read_text(encoding="utf-8").replace("gated", "gatde")
    lock.write_text(text, encoding="utf-8")
    pytester.makepyfile("def test_it(): ...")
    result = pytester.runpytest_subprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*potmodels.lock:*unknown key 'gatde'. Did you mean 'gated'?"])
    pytester.runpytest_subprocess("--pot-lock=none").assert_outcomes(passed=1)


# ---- The report -------------------------------------------------------------------------------


def report(pytester: pytest.Pytester, *options: str) -> dict[str, Any]:
    pytester.runpytest_subprocess("--pot-report=out/report.json", *options)
    text = (pytester.path / "out" / "report.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def test_the_report_has_every_row_whichever_worker_it_came_from(
    pytester: pytest.Pytester, repo: Repo, lock: Path
) -> None:
    pytester.makepyfile(TESTS + BEYOND.replace("load", "path"))
    one, two = report(pytester), report(pytester, "-n2", "-p", "no:terminal")
    assert [(row["asked"], row["outcome"]) for row in one["rows"]] == [
        ("org/other", "real"),
        ("org/model@main", "real"),
        ("org/model", "real"),
    ]
    strip = {"load_seconds", "memory_mb", "source"}
    rows = [[{k: v for k, v in row.items() if k not in strip} for row in each["rows"]]
            for each in (one, two)]  # fmt: skip
    assert rows[0] == rows[1]
    assert one["counts"] == {"real": 3}
    assert (one["schema"], one["exit_status"], one["preset"]) == (1, 0, "minimal")
    assert one["lock"]["path"] == "potmodels.lock"
    assert one["environment"]["packages"]["pytest"]


def test_what_a_run_used_can_be_locked(
    pytester: pytest.Pytester, repo: Repo, command: Command
) -> None:
    pytester.makepyfile(TESTS)
    used = repo.sha
    report(pytester)
    moved(repo)
    command("lock", "--from-run", "out/report.json")
    text = (pytester.path / "potmodels.lock").read_text(encoding="utf-8")
    assert f'revision = "{used}"' in text
    assert 'names = ["org/model", "org/model@main"]' in text
    assert text.count("[[model]]") == 1


def test_a_report_that_cannot_be_written_fails_the_run(
    pytester: pytest.Pytester, repo: Repo
) -> None:
    pytester.makepyfile("def test_it(): ...")
    (pytester.path / "out").write_text("in the way")
    result = pytester.runpytest_subprocess("--pot-report=out/report.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*report *report.json cannot be written: *"])


def test_a_plan_writes_no_report(pytester: pytest.Pytester, repo: Repo) -> None:
    pytester.makepyfile(TESTS)
    pytester.runpytest_subprocess("--pot-report=report.json", "--pot-plan")
    assert not (pytester.path / "report.json").exists()
