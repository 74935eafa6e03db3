"""`potmodels ci` on GitHub: its files, its log, and names that want to be more than names."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from cli.harness import NAME, Cli
from standin import Repo

WEIGHTS = "model.safetensors"
KEY = "hf_right"

#: Names as a stranger's pull request may have them in its lock file.
HOSTILE = [
    "evil\n::set-output name=cache-hit::true",
    "evil\r\n::add-mask::a",
    "   ::error::owned",
    "##[add-path]evil",
    "evil\nEOF\ncache-hit=true\nx<<EOF",
    "$(touch PWNED)`touch PWNED`; touch PWNED #",
    "a|b`c`<img src=x onerror=alert(1)>[x](javascript:1)",
    "evil\ncache-hit=true",
    "${{ secrets.TOKEN }}",
    "%0A::error::owned",
]
#: What a runner takes for a command: these words behind `::` at a line's start or `##[` anywhere.
COMMAND = re.compile(r"^\s*::([\w-]+)[^:\n]*::|##\[([\w-]+)", re.MULTILINE)


@pytest.fixture
def job(cli: Cli, tiny: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A push to the default branch of a project with a lock of one model."""
    for name in os.environ:
        if name.startswith("GITHUB_"):
            monkeypatch.delenv(name)
    cli.run("lock", NAME)
    event = tmp_path / "event.json"
    event.write_text('{"repository": {"default_branch": "main"}}')
    cli.environ |= {
        "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main",
        "GITHUB_EVENT_PATH": str(event), "GITHUB_WORKSPACE": str(cli.folder),
        "GITHUB_RUN_ID": "1", "GITHUB_RUN_ATTEMPT": "1",
        **{f"GITHUB_{name}": str(tmp_path / name) for name in ("OUTPUT", "ENV", "STEP_SUMMARY")},
    }  # fmt: skip
    return cli


def written(cli: Cli, name: str) -> dict[str, str]:
    """The values of a file as the runner reads it: `name=value` or a heredoc, by line."""
    path = Path(cli.environ[f"GITHUB_{name}"])
    lines = iter(path.read_text(encoding="utf-8").split("\n") if path.exists() else [])
    found = {}
    for line in lines:
        if heredoc := re.fullmatch(r"([^=<]+)<<(.+)", line):
            value = []
            while (each := next(lines)) != heredoc[2]:
                value.append(each)
            found[heredoc[1]] = "\n".join(value)
        elif line:
            key, _, found[key] = line.partition("=")
    return found


def commands(text: str) -> set[str]:
    return {found[1] or found[2] for found in COMMAND.finditer(text)}


def rename(cli: Cli, *, name: str, path: str = "potmodels.lock") -> None:
    """Call the model of the lock by another name."""
    lock = cli.folder / path
    text = lock.read_text(encoding="utf-8")
    lock.write_text(text.replace(f'names = ["{NAME}"]', f"names = [{json.dumps(name)}]"))


def test_outputs_are_written_where_later_steps_read_them(job: Cli) -> None:
    job.run("ci", "keys")
    keys = written(job, "OUTPUT")
    assert list(keys) == ["key", "restore-keys", "cache-dir", "restore", "save", "why"]
    assert (keys["restore"], keys["save"]) == ("true", "true")
    assert keys["key"] == keys["restore-keys"].splitlines()[0] + "1-1"
    Path(job.environ["GITHUB_OUTPUT"]).unlink()
    job.run("ci", "warm")
    outputs = written(job, "OUTPUT")
    assert list(outputs) == [
        "cache-hit", "cache-state", "models", "downloaded-bytes", "verified-bytes",
        "network-requests", "seconds", "save-needed", "verified-against",
    ]  # fmt: skip
    assert (outputs["cache-hit"], outputs["save-needed"]) == ("false", "true")
    assert json.loads(outputs["models"])[0]["name"] == NAME


def test_later_steps_have_the_models_and_no_network(job: Cli) -> None:
    job.run("ci", "warm")
    assert written(job, "ENV") == {
        "POT_CACHE_DIR": str(job.folder / ".potmodels-cache"), "POT_NETWORK": "block",
        "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1",
    }  # fmt: skip
    job.environ |= written(job, "ENV")
    job.site.log.clear()
    assert job.json("download", NAME)[0]["status"] == "there"
    assert len(job.site.log) == 0


def test_the_network_stays_open_where_that_was_asked_for(job: Cli) -> None:
    job.run("ci", "warm", "--offline-phase", "No")
    assert list(written(job, "ENV")) == ["POT_CACHE_DIR"]


@pytest.mark.parametrize("event", ["release", "pull_request_target", "workflow_run"])
def test_nothing_is_restored_or_saved_where_it_could_do_harm(job: Cli, event: str) -> None:
    job.environ["GITHUB_EVENT_NAME"] = event
    job.run("ci", "keys")
    keys = written(job, "OUTPUT")
    assert (keys["restore"], keys["save"]) == ("false", "false")
    outputs = job.json("ci", "warm")
    assert (outputs["cache-state"], outputs["save-needed"]) == ("off", False)


def test_a_pull_request_reads_and_does_not_save(job: Cli) -> None:
    job.environ |= {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_REF": "refs/pull/3/merge"}
    job.run("ci", "keys")
    keys = written(job, "OUTPUT")
    assert (keys["restore"], keys["save"]) == ("true", "false")
    assert not job.json("ci", "warm")["save-needed"]


def test_the_summary_is_written_on_a_change_alone(job: Cli) -> None:
    job.run("ci", "warm")
    summary = Path(job.environ["GITHUB_STEP_SUMMARY"])
    assert "| model | revision | source | size | cache | seconds |" in summary.read_text()
    summary.unlink()
    job.run("ci", "warm")
    assert not summary.exists()
    job.run("ci", "warm", "--summary", "true")
    assert "**hit**: saved 102.4 kB of download" in summary.read_text()
    summary.unlink()
    (job.folder / ".potmodels-cache" / "models" / "x").write_text("")
    job.run("ci", "warm", "--summary", "false")
    assert not summary.exists()


def test_what_was_broken_is_shown_beside_the_lock(job: Cli) -> None:
    job.run("ci", "warm")
    weights = job.folder / ".potmodels-cache/models/huggingface_org--tiny" / WEIGHTS
    weights.chmod(0o644)
    weights.write_bytes(b"short")
    said = job.run("ci", "warm").stderr
    (line,) = [line for line in said.splitlines() if line.startswith("::warning")]
    assert line.startswith("::warning file=potmodels.lock::huggingface:org/tiny: ")
    assert "deleted, and fetched again" in line


def test_the_lock_is_named_as_of_the_repository(job: Cli) -> None:
    (job.folder / "sub").mkdir()
    (job.folder / "potmodels.lock").rename(job.folder / "sub" / "potmodels.lock")
    job.environ["POT_ACTION_WORKING_DIRECTORY"] = "sub"
    job.run("ci", "warm")
    (job.folder / ".potmodels-cache" / "models" / "x").mkdir()
    assert "::warning file=sub/potmodels.lock::" in job.run("ci", "warm").stderr


def test_a_plain_miss_names_nothing_broken(job: Cli) -> None:
    job.run("ci", "warm")
    assert "removed" not in Path(job.environ["GITHUB_STEP_SUMMARY"]).read_text()


def test_a_folder_full_of_rubbish_is_a_few_annotations(job: Cli) -> None:
    for number in range(40):
        (job.folder / ".potmodels-cache" / "models" / f"url_{number}").mkdir(parents=True)
    said = job.run("ci", "warm").stderr
    lines = [line for line in said.splitlines() if line.startswith("::warning")]
    assert len(lines) == 10
    assert "31 more were broken" in lines[-1]


def test_a_download_of_other_bytes_than_the_lock_is_an_error_beside_its_line(job: Cli) -> None:
    lock = job.folder / "potmodels.lock"
    lock.write_text(re.sub(r'(sha256 = ")[0-9a-f]{8}', r"\g<1>00000000", lock.read_text()))
    said = job.run("ci", "warm", code=4).stderr
    (line,) = [line for line in said.splitlines() if line.startswith("::error")]
    assert re.match(r"::error file=potmodels.lock,line=\d+::", line)
    assert written(job, "OUTPUT")["save-needed"] == "false"
    assert written(job, "ENV") == {}


def test_hostile_names_in_the_lock_are_names(job: Cli) -> None:
    lock = (job.folder / "potmodels.lock").read_text()
    for name in HOSTILE:
        (job.folder / "potmodels.lock").write_text(lock)
        rename(job, name=name)
        check_log(job.run("ci", "keys"), allowed=set())
        check_log(job.run("ci", "warm", "--summary", "true"), allowed={"warning"})
        check_log(job.run("ci", "warm", "--select", "none", code=2), allowed={"error"})
        weights = job.folder / ".potmodels-cache/models/huggingface_org--tiny" / WEIGHTS
        weights.unlink()
        check_log(
            job.run("ci", "warm", "--json", "--offline", code=4), allowed={"warning", "error"}
        )
        check_files(job)


def test_hostile_ids_in_the_lock_are_refused(job: Cli) -> None:
    lock = (job.folder / "potmodels.lock").read_text()
    for name in HOSTILE:
        other = lock.replace('id = "org/tiny"', f"id = {json.dumps(name)}")
        (job.folder / "potmodels.lock").write_text(other)
        for command in ("keys", "warm"):
            check_log(job.run("ci", command, "--debug", code=2), allowed={"error"})
    check_files(job)


def test_hostile_inputs_are_refused_or_harmless(job: Cli) -> None:
    plain = dict(job.environ)
    for option in ("MODELS", "SELECT", "CACHE_SUFFIX", "CACHE", "CACHE_DIR", "LOCKFILE", "TIMEOUT"):
        for name in HOSTILE:
            job.environ = {**plain, f"POT_ACTION_{option}": name}
            check_log(job.run("ci", "keys", code=None), allowed={"error"})
    for name in HOSTILE:
        job.environ = {**plain, "POT_ACTION_PYTHON": name}
        check_log(job.run("ci", "keys", "--select", "plan", code=2), allowed={"error"})
    check_files(job)


@pytest.mark.parametrize("name", ["a\n::add-mask::x", "##[add-path]x"])
def test_hostile_files_in_the_cache_are_deleted_and_harmless(job: Cli, name: str) -> None:
    job.run("ci", "warm")
    folder = job.folder / ".potmodels-cache" / "models"
    (folder / name).mkdir()
    (folder / "huggingface_org--tiny" / name).write_text("")
    check_log(job.run("ci", "warm", "--summary", "true"), allowed={"warning"})
    assert [path.name for path in folder.iterdir()] == ["huggingface_org--tiny"]
    check_files(job)


def test_the_token_is_masked_and_written_nowhere(job: Cli) -> None:
    job.environ["POT_ACTION_TOKEN"] = KEY
    said = job.run("ci", "warm")
    left = [line for line in said.stderr.splitlines() if KEY in line]
    assert left == [f"::add-mask::{KEY}"]
    assert KEY not in said.stdout
    for name in ("OUTPUT", "ENV", "STEP_SUMMARY"):
        assert KEY not in Path(job.environ[f"GITHUB_{name}"]).read_text()


def check_log(result: Any, *, allowed: set[str]) -> None:
    assert commands(result.stdout + "\n" + result.stderr) <= allowed, result.stderr


def check_files(job: Cli) -> None:
    """Nothing ran, and the files of the job hold our names and no other."""
    assert not (job.folder / "PWNED").exists()
    outputs, environ = written(job, "OUTPUT"), written(job, "ENV")
    assert set(outputs) <= {
        *("key", "restore-keys", "cache-dir", "restore", "save", "why", "cache-hit", "models"),
        *("cache-state", "downloaded-bytes", "verified-bytes", "network-requests", "seconds"),
        *("save-needed", "verified-against"),
    }
    assert set(environ) <= {
        "POT_CACHE_DIR", "POT_NETWORK", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"
    }  # fmt: skip
    summary = Path(job.environ["GITHUB_STEP_SUMMARY"])
    text = summary.read_text() if summary.exists() else ""
    assert "<img" not in text
    assert all(row.count("|") == 7 for row in text.splitlines() if row.startswith("|"))
