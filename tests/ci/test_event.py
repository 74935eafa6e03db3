"""What a job may do with the shared cache, by what started it."""

import json
from pathlib import Path

import pytest

from pytest_potmodels.ci.event import decide

MAIN = "refs/heads/main"
RUNNER = {"GITHUB_ACTIONS": "true"}
BOTH, READ, NONE = (True, True), (True, False), (False, False)


@pytest.fixture
def payload(tmp_path: Path) -> str:
    path = tmp_path / "event.json"
    path.write_text(json.dumps({"repository": {"default_branch": "main"}}))
    return str(path)


@pytest.mark.parametrize(
    ("event", "ref", "allowed"),
    [
        ("push", MAIN, BOTH),
        ("push", "refs/heads/topic", READ),
        ("push", "refs/heads/main/sub", READ),
        ("push", "refs/tags/main", NONE),
        ("push", "refs/tags/v1", NONE),
        ("schedule", MAIN, BOTH),
        ("workflow_dispatch", MAIN, BOTH),
        ("workflow_dispatch", "refs/heads/topic", READ),
        ("workflow_dispatch", "refs/tags/v1", NONE),
        ("repository_dispatch", MAIN, BOTH),
        ("pull_request", "refs/pull/1/merge", READ),
        ("merge_group", "refs/heads/gh-readonly-queue/main/pr-1", READ),
        ("issue_comment", MAIN, READ),
        ("release", "refs/tags/v1", NONE),
        ("pull_request_target", MAIN, NONE),
        ("workflow_run", MAIN, NONE),
        ("an_event_of_tomorrow", MAIN, READ),
    ],
)
def test_auto_goes_by_the_event(
    payload: str, event: str, ref: str, allowed: tuple[bool, bool]
) -> None:
    environ = {
        **RUNNER,
        "GITHUB_EVENT_NAME": event,
        "GITHUB_REF": ref,
        "GITHUB_EVENT_PATH": payload,
    }
    policy = decide("auto", environ)
    assert (policy.restore, policy.save) == allowed
    assert policy.why
    assert policy.off == (allowed == NONE)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"repository": null}', "[" * 100_000])
def test_an_unknown_default_branch_saves_nothing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "event.json"
    path.write_text(text)
    for place in (str(path), str(tmp_path / "absent")):
        environ = {
            **RUNNER,
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_REF": MAIN,
            "GITHUB_EVENT_PATH": place,
        }
        policy = decide("auto", environ)
        assert (policy.restore, policy.save) == READ
        assert "default branch is unknown" in policy.why


def test_a_word_of_the_users_goes_before_the_event(payload: str) -> None:
    environ = {**RUNNER, "GITHUB_EVENT_NAME": "release", "GITHUB_EVENT_PATH": payload}
    said = [decide(mode, environ) for mode in ("read", "write", "false")]
    assert [(each.restore, each.save) for each in said] == [READ, BOTH, NONE]


def test_elsewhere_the_service_has_rules_of_its_own() -> None:
    for environ in ({"GITLAB_CI": "true"}, {"GITHUB_EVENT_NAME": "release"}):
        policy = decide("auto", environ)
        assert (policy.restore, policy.save) == BOTH


def test_a_runner_that_names_no_event_restores_and_saves_nothing() -> None:
    for environ in (RUNNER, {**RUNNER, "GITHUB_EVENT_NAME": ""}):
        policy = decide("auto", environ)
        assert (policy.restore, policy.save) == NONE
