"""The Action, run: action.yml as it is, GitHub's client, a cache service, a hub that counts."""

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from action.project import OTHER, PULL, TINY, Event, Project, cut, facts, shown, steps
from standin import Hang

WEIGHTS = "models/huggingface_org--tiny/model.safetensors"
CLOSED = {"POT_NETWORK": "block", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
NOT_SAVED = {"cache-hit": "true", "cache-state": "hit", "saved": "false", "network-requests": "0"}


def test_a_cold_job_saves_and_the_next_one_needs_no_network(project: Project) -> None:
    job = project.job()
    cold = job.run(steps("echo 'tests fail'; exit 1"))
    assert not cold.ok
    folder = job.workspace / ".potmodels-cache"
    assert facts(cold, "cache-hit", "cache-state", "saved", "verified-against", "cache-dir") == {
        "cache-hit": "false",
        "cache-state": "miss",
        "saved": "true",
        "verified-against": "lock",
        "cache-dir": ".potmodels-cache",
    }
    outputs = cold.outputs("models")
    assert int(outputs["downloaded-bytes"]) > 300_000
    assert cold.env == {"POT_CACHE_DIR": str(folder), **CLOSED}
    assert re.fullmatch(r"potmodels-v1--[0-9a-f]{32}-1001-1", outputs["cache-key"])
    assert project.service.keys == [outputs["cache-key"]]
    assert "| huggingface" in cold.summaries[0]
    assert cold.annotations == []
    assert sorted(path.name for path in folder.iterdir()) == [
        ".gitignore", "CACHEDIR.TAG", "README.txt", "models",
    ]  # fmt: skip

    asked = len(project.site.log)
    warm = project.job().run(steps('ls "$POT_CACHE_DIR/models"'))
    assert warm.ok, warm.log
    assert facts(warm, *NOT_SAVED) == NOT_SAVED
    assert warm.outputs("models")["cache-matched-key"] == outputs["cache-key"]
    assert int(warm.outputs("models")["verified-bytes"]) > 300_000
    (row,) = json.loads(warm.outputs("models")["models"])
    assert (row["name"], row["source"], row["state"]) == (TINY, "huggingface", "hit")
    assert len(project.site.log) == asked
    assert "huggingface_org--tiny" in warm.log
    assert warm.summaries == []


@pytest.mark.slow
def test_a_pull_request_reads_the_entry_of_the_default_branch_and_writes_none(
    project: Project,
) -> None:
    project.job().run(steps())
    same = project.job(PULL).run(steps())
    assert facts(same, *NOT_SAVED) == NOT_SAVED
    project.lock(TINY, OTHER)
    changed = project.job(PULL).run(steps())
    assert facts(changed, "cache-hit", "cache-state", "saved") == {
        "cache-hit": "false",
        "cache-state": "partial",
        "saved": "false",
    }
    assert len(project.service.keys) == 1


@pytest.mark.slow
def test_a_changed_lock_fetches_what_lacks_and_keeps_only_what_is_locked(project: Project) -> None:
    first = project.job().run(steps()).outputs("models")["cache-key"]
    project.lock(TINY, OTHER)
    both = project.job().run(steps())
    assert facts(both, "cache-state", "saved", "cache-matched-key") == {
        "cache-state": "partial",
        "saved": "true",
        "cache-matched-key": first,
    }
    states = {row["name"]: row["state"] for row in json.loads(both.outputs("models")["models"])}
    assert states == {TINY: "hit", OTHER: "fetched"}
    project.lock(OTHER)
    job = project.job()
    assert facts(job.run(steps()), "cache-state", "network-requests", "saved") == {
        "cache-state": "partial",
        "network-requests": "0",
        "saved": "true",
    }
    models = job.workspace / ".potmodels-cache/models"
    assert [path.name for path in models.iterdir()] == ["huggingface_org--other"]
    assert facts(project.job().run(steps()), *NOT_SAVED) == NOT_SAVED


@pytest.mark.slow
def test_a_comment_in_the_lock_changes_no_key(project: Project) -> None:
    project.job().run(steps())
    project.files["potmodels.lock"] += b"# reviewed\n"
    assert facts(project.job().run(steps()), *NOT_SAVED) == NOT_SAVED


@pytest.mark.slow
def test_a_truncated_entry_is_mended_and_replaced(project: Project) -> None:
    whole = project.job()
    whole.run(steps())
    cut(project.service)
    job = project.job()
    healed = job.run(steps())
    assert facts(healed, "cache-hit", "cache-state", "saved") == {
        "cache-hit": "false",
        "cache-state": "healed",
        "saved": "true",
    }
    assert any(said["level"] == "warning" for said in healed.annotations)
    good = whole.workspace / ".potmodels-cache" / WEIGHTS
    assert (job.workspace / ".potmodels-cache" / WEIGHTS).read_bytes() == good.read_bytes()
    assert len(project.service.keys) == 2
    assert facts(project.job().run(steps()), *NOT_SAVED) == NOT_SAVED


@pytest.mark.slow
def test_a_read_only_token_costs_a_warning_and_no_job(project: Project) -> None:
    result = project.job(writes=False).run(steps())
    assert result.ok
    assert facts(result, "cache-state", "saved") == {"cache-state": "miss", "saved": "false"}
    assert any("cache write denied" in said for said in result.said("warning"))
    assert project.service.keys == []


@pytest.mark.slow
def test_four_cold_jobs_at_once_leave_one_entry(project: Project) -> None:
    jobs = [project.job(run=7) for _ in range(4)]
    started = [job.start(steps()) for job in jobs]
    results = [job.result(process) for job, process in zip(jobs, started, strict=True)]
    for result in results:
        assert result.ok, result.log
        assert facts(result, "saved") == {"saved": "true"}
    assert len(project.service.keys) == 1
    later = [project.job().run(steps()) for _ in range(2)]
    assert [facts(result, *NOT_SAVED) for result in later] == [NOT_SAVED] * 2


@pytest.mark.slow
def test_an_entry_that_another_run_saved_meanwhile_is_not_doubled(project: Project) -> None:
    project.site.fault(Hang(seconds=12), "model.safetensors", server="cdn")
    late, early = project.job(), project.job()
    process = late.start(steps())
    _wait_for(lambda: project.site.log.gets("model.safetensors") > 0)
    first = early.run(steps())
    assert process.poll() is None
    assert facts(first, "saved") == {"saved": "true"}
    second = late.result(process)
    assert facts(second, "cache-state", "saved") == {"cache-state": "miss", "saved": "false"}
    assert second.step("save")["outcome"] == "skipped"
    assert project.service.keys == [first.outputs("models")["cache-key"]]


@pytest.mark.slow
@pytest.mark.parametrize(
    "event",
    [
        Event("release", "refs/tags/v1"),
        Event("push", "refs/tags/v1"),
        Event("pull_request_target"),
        Event("workflow_run"),
    ],
    ids=lambda event: f"{event.name} {event.ref}",
)
def test_jobs_with_secrets_at_stake_restore_and_save_nothing(
    project: Project, event: Event
) -> None:
    result = project.job(event).run(steps())
    assert result.ok, result.log
    assert facts(result, "cache-hit", "cache-state", "saved", "cache-matched-key") == {
        "cache-hit": "false",
        "cache-state": "off",
        "saved": "false",
        "cache-matched-key": "",
    }
    assert project.service.lookups == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "state", "saved", "entries"),
    [
        ({"cache": "write"}, "miss", "true", ["refs/pull/1/merge"]),
        ({"cache": "read"}, "miss", "false", []),
        ({"cache": "FALSE"}, "off", "false", []),
        ({"cache": "write", "max_size": "100kB"}, "refused", "false", []),
    ],
    ids=str,
)
def test_the_inputs_decide_over_the_event(
    project: Project, given: dict[str, str], state: str, saved: str, entries: list[str]
) -> None:
    result = project.job(PULL).run(steps(**given))
    assert result.ok, result.log
    assert facts(result, "cache-state", "saved") == {"cache-state": state, "saved": saved}
    assert [entry.scope for entry in project.service.entries] == entries
    assert any("max-size" in said for said in result.said("warning")) is (state == "refused")


@pytest.mark.slow
def test_without_a_cache_service_the_models_are_fetched(project: Project) -> None:
    job = project.job()
    job.runtime.clear()
    result = job.run(steps())
    assert result.ok, result.log
    assert facts(result, "cache-state", "saved") == {"cache-state": "miss", "saved": "false"}
    assert result.env["POT_NETWORK"] == "block"


@pytest.mark.slow
def test_a_model_that_cannot_be_had_fails_the_job_and_saves_nothing(project: Project) -> None:
    text = project.files["potmodels.lock"].decode()
    digest = re.findall(r'sha256 = "([0-9a-f]{64})"', text)[-1]
    project.files["potmodels.lock"] = text.replace(digest, "0" * 64).encode()
    result = project.job().run(steps("echo never"))
    assert not result.ok
    assert result.step("warm")["outcome"] == "failure"
    assert result.step("later-1")["outcome"] == "skipped"
    (error,) = [said for said in result.annotations if said["level"] == "error"]
    assert error["file"] == "potmodels.lock"
    assert (result.env, project.service.keys) == ({}, [])


@pytest.mark.slow
def test_names_without_a_lock_and_a_project_in_a_folder(project: Project) -> None:
    project.files = {"sub/readme.txt": b""}
    given = {"models": "org/tiny\norg/other", "working_directory": "sub", "offline": "No"}
    job = project.job()
    cold = job.run(steps(**given))
    assert facts(cold, "cache-state", "saved", "verified-against") == {
        "cache-state": "miss",
        "saved": "true",
        "verified-against": "manifests",
    }
    assert cold.env == {"POT_CACHE_DIR": str(job.workspace / ".potmodels-cache")}
    assert facts(project.job().run(steps(**given)), *NOT_SAVED) == NOT_SAVED


@pytest.mark.slow
def test_a_second_use_in_a_job_is_not_stopped_by_the_first(project: Project) -> None:
    second = {"cache": "false", "cache-dir": ".more"}
    used = [*steps(cache="false"), {"id": "more", "uses": "./action", "with": second}]
    result = project.job().run(used)
    assert result.ok, result.log
    (row,) = json.loads(result.outputs("more")["models"])
    assert row["state"] == "fetched"


@pytest.mark.slow
def test_a_token_is_in_no_log_no_variable_and_no_entry(project: Project) -> None:
    word = "hf_aVerySecretWord0123"
    files = {"config.json": b"{}", "model.safetensors": bytes(5000)}
    project.site.add_repo("org/gated", files, gated=True, token=word)
    project.files = {}
    given = {"models": "org/gated", "token": word}
    refused = project.job().run(steps(**given))
    assert not refused.ok
    assert project.service.keys == []
    job = project.job()
    result = job.run(steps("env", **given, allow_gated="true", summary="true"))
    assert result.ok, result.log
    assert facts(result, "cache-state", "saved") == {"cache-state": "miss", "saved": "true"}
    for seen in (shown(refused), shown(result)):
        assert word not in seen
    assert word not in result.unmasked.replace(f"::add-mask::{word}\n", "")
    for path in _files(job.workspace):
        assert word.encode() not in path.read_bytes(), path


def _wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
