"""The composite runner itself: what GitHub's documentation says of steps, files and expressions."""

from pathlib import Path
from typing import Any

import pytest
from action.jobs import CACHE_ACTIONS, Job, Result, require_runner

pytestmark = pytest.mark.usefixtures("_runner")


@pytest.fixture(scope="module")
def _runner() -> None:
    require_runner()


def run(folder: Path, action: str, given: dict[str, Any] | None = None, **job: Any) -> Result:
    """Run a composite action, given as YAML, as the only step of a job."""
    ours = folder / "ours"
    ours.mkdir(parents=True)
    (ours / "action.yml").write_text(action, encoding="utf-8")
    actions = {"./ours": ours, **CACHE_ACTIONS}
    step = {"id": "ours", "uses": "./ours", "with": given or {}}
    return Job(folder, actions=actions, **job).run([step])


_STEPS = """
name: steps
inputs:
  Word: {default: "from ${{ github.ref }}"}
  some-flag: {default: "false"}
outputs:
  word: {value: "${{ steps.say.outputs.word }}"}
  lines: {value: "${{ steps.say.outputs.lines }}"}
  last: {value: "${{ steps.last.outputs.seen }}"}
  both: {value: "${{ steps.fails.outcome }} ${{ steps.fails.conclusion }}"}
runs:
  using: composite
  steps:
    - id: say
      shell: bash
      env: {WORD: "${{ inputs.Word }}"}
      run: |
        echo "word=$WORD" >> "$GITHUB_OUTPUT"
        printf 'lines<<END\\none\\nb=2\\nEND\\n' >> "$GITHUB_OUTPUT"
        echo "LATER=a=b" >> "$GITHUB_ENV"
        echo "### Title" >> "$GITHUB_STEP_SUMMARY"
        echo "token=${ACTIONS_RUNTIME_TOKEN-none} word=${INPUT_WORD-none}"
    - id: skipped
      if: inputs.some-flag == 'true'
      shell: bash
      run: exit 9
    - id: fails
      continue-on-error: true
      shell: bash
      run: |
        false | true
        echo unreachable
    - id: last
      shell: bash
      run: |
        echo "::add-mask::hunter2"
        echo "the word is hunter2"
        echo "::warning file=a.lock,line=3,title=50%25%2C off::one%0Atwo"
        here=$(basename "$GITHUB_ACTION_PATH")
        echo "seen=$LATER ${{ env.LATER }} ${{ 'it''s }}' }} $here" >> "$GITHUB_OUTPUT"
"""


def test_steps_outputs_files_and_commands_are_as_documented(tmp_path: Path) -> None:
    result = run(tmp_path, _STEPS, {"SOME-flag": "no"}, runtime={"ACTIONS_RUNTIME_TOKEN": "t"})
    assert result.ok
    assert result.outputs("ours") == {
        "word": "from refs/heads/main",
        "lines": "one\nb=2",
        "last": "a=b a=b it's }} ours",
        "both": "failure success",
    }
    assert result.step("skipped")["outcome"] == "skipped"
    assert result.env == {"LATER": "a=b"}
    assert result.summaries == ["### Title\n"]
    assert "unreachable" not in result.log
    assert "token=none word=none" in result.log
    assert "the word is ***" in result.log
    warning = {"level": "warning", "file": "a.lock", "line": "3", "title": "50%, off"}
    assert {**warning, "message": "one\ntwo"} in result.annotations


_AFTER_FAILURE = """
name: after failure
runs:
  using: composite
  steps:
    - {id: fails, shell: bash, run: exit 3}
    - {id: plain, shell: bash, run: echo no}
    - {id: condition, if: "'a' == 'A'", shell: bash, run: echo no}
    - {id: always, if: "${{ always() }}", shell: bash, run: echo yes}
    - {id: failure, if: "failure() && steps.fails.outcome == 'failure'", shell: bash, run: echo yes}
    - {id: success, if: success(), shell: bash, run: echo no}
"""


def test_after_a_failure_only_steps_that_ask_for_it_run(tmp_path: Path) -> None:
    result = run(tmp_path, _AFTER_FAILURE)
    assert not result.ok
    outcomes = {step["id"]: step["outcome"] for step in result.steps}
    assert outcomes == {
        "ours": "failure",
        "fails": "failure",
        "plain": "skipped",
        "condition": "skipped",
        "always": "success",
        "failure": "success",
        "success": "skipped",
    }


_ONE = """
name: one
inputs: {word: {default: ""}}
runs:
  using: composite
  steps:
    - {id: first, shell: bash, run: 'true'}
    - {id: one, shell: bash, run: 'true', %s}
"""


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("env: {A: '${{ inputs.wrod }}'}", "no inputs.wrod is declared"),
        ("env: {A: '${{ steps.frist.outputs.x }}'}", "no steps.frist is declared"),
        ("env: {A: '${{ steps.first.output.x }}'}", "has no 'output'"),
        ("env: {A: '${{ steps.first.outputs.x }}'}", "has no output 'x'"),
        ("env: {A: '${{ input.word }}'}", "input"),
        ("env: {A: '${{ secrets.TOKEN }}'}", "secrets"),
        ("env: {A: '${{ inputs.word == \"a\" }}'}", '"'),
        ("if: alwys()", "alwys"),
        ("if: '${{ inputs.word }} == 1'", "always true"),
        ("timeout-minutes: 3", "timeout-minutes"),
        ("env: {A: '${{ inputs.word'}", "ends the expression"),
    ],
)
@pytest.mark.slow
def test_a_fault_in_an_action_ends_the_job(tmp_path: Path, fault: str, says: str) -> None:
    result = run(tmp_path, _ONE % fault)
    assert not result.ok
    (error,) = result.said("error")
    assert says in error


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("echo word >> $GITHUB_OUTPUT", "Invalid format 'word'"),
        ("printf 'a<<X\\nb\\n' >> $GITHUB_OUTPUT", "Matching delimiter not found 'X'"),
        ("echo NODE_OPTIONS=--x >> $GITHUB_ENV", "Can't store NODE_OPTIONS"),
        ("echo GITHUB_SHA=0 >> $GITHUB_ENV", "Can't store GITHUB_SHA"),
    ],
)
@pytest.mark.slow
def test_a_file_that_github_refuses_fails_the_step(tmp_path: Path, line: str, says: str) -> None:
    action = f"name: x\nruns:\n  using: composite\n  steps:\n    - shell: bash\n      run: {line}\n"
    result = run(tmp_path, action)
    assert not result.ok
    assert says in result.said("error")[0]


_NESTED = """
name: nested
runs:
  using: composite
  steps:
    - {id: r, uses: actions/cache/restore@0, with: {path: x, key: k, retsore-keys: y}}
    - {id: s, if: "steps.r.outputs.cache-hti == ''", shell: bash, run: 'true'}
"""


def test_misspelt_inputs_and_outputs_of_nested_actions_are_told(tmp_path: Path) -> None:
    result = run(tmp_path, _NESTED, runtime={"ACTIONS_CACHE_MODE": "none"})
    assert not result.ok
    assert "Unexpected input(s) 'retsore-keys'" in result.said("warning")[0]
    assert "step r has no output 'cache-hti'" in result.said("error")[-1]
