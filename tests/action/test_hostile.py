"""What a stranger may write, in a lock file, an input or an entry: it is text, and runs nowhere."""

import json
import re
from pathlib import Path

import pytest
from action.project import OTHER, PULL, TINY, Project, facts, shown, steps

#: Each would leave a file `pwned` or set an output, if anything took it for more than a name.
NAMES = [
    "$(touch pwned)",
    "`touch pwned`",
    '"; touch pwned; "',
    "${{ github.token }}",
    "a\npwned=1",
    "a\n::set-output name=pwned::1",
    "::error::pwned",
    "##[set-output name=pwned]1",
    "a\npot_EOF\npwned<<X\n1\nX",
    "| a | </td><script>pwned()</script> [x](javascript:pwned)",
]
COMMANDS = {"add-mask", "debug", "error", "group", "endgroup", "notice", "warning"}
OUTPUTS = {
    "keys": {"key", "restore-keys", "cache-dir", "restore", "save", "why"},
    "warm": {
        "cache-hit", "cache-state", "models", "downloaded-bytes", "verified-bytes",
        "network-requests", "seconds", "save-needed", "verified-against",
    },
}  # fmt: skip


VARIABLES = {"POT_CACHE_DIR", "POT_NETWORK", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"}


def pwned(folder: Path) -> list[Path]:
    return list(folder.rglob("pwned"))


@pytest.mark.slow
@pytest.mark.parametrize("place", ["names", "id", "license", "path"])
def test_names_in_a_lock_are_only_text(project: Project, place: str) -> None:
    """A pull request may bring any lock file; what cannot be locked is refused."""
    text = project.files["potmodels.lock"].decode()
    project.job().run(steps())
    for said in _written(place):
        project.files["potmodels.lock"] = _with(text, place, said).encode()
        result = project.job(PULL).run(steps(summary="true"))
        assert result.ok or place in ("id", "path"), result.log
        assert pwned(project.folder) == [], said
        assert {each["command"] for each in result.commands} <= COMMANDS, said
        assert set(result.env) <= VARIABLES
        for step, outputs in OUTPUTS.items():
            assert set(result.step(step).get("outputs") or {}) <= outputs, said
        assert "<script" not in "".join(result.summaries)
        assert "](javascript" not in "".join(result.summaries)


def _written(place: str) -> list[str]:
    """The names as TOML: all in one list, or all in one text, and some by themselves."""
    if place == "names":
        return [json.dumps(NAMES)]
    return [json.dumps(name) for name in ("\n".join(NAMES), *NAMES[:4])]


def _with(text: str, place: str, said: str) -> str:
    patterns = {
        "names": (r"names = \[.*?\]", f"names = {said}"),
        "id": (r'\bid = ".*?"', f"id = {said}"),
        "license": (r'license = ".*?"', f"license = {said}"),
        "path": (r'path = "config.json"', f"path = {said}"),
    }
    pattern, by = patterns[place]
    return re.sub(pattern, lambda _: by, text, count=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "given",
    [
        {"cache_suffix": "$(touch pwned)"},
        {"cache_suffix": "a,b"},
        {"select": "$(touch pwned)"},
        {"lockfile": "`touch pwned`"},
        {"working_directory": "../../.."},
        {"cache_dir": "../.."},
        {"max_size": "$(touch pwned)"},
        {"offline": "maybe"},
        {"allow_gated": "True; touch pwned"},
        {"cache": "aut"},
        {"models": "a\npwned=1"},
    ],
    ids=str,
)
def test_inputs_are_checked_before_anything_is_touched(
    project: Project, given: dict[str, str]
) -> None:
    job = project.job()
    result = job.run(steps(**given))
    assert not result.ok
    assert result.step("keys")["outcome"] == "failure"
    assert len(result.said("error")) == 1
    assert pwned(project.folder) == []
    assert [path.name for path in job.workspace.iterdir()] == ["potmodels.lock"]
    assert (len(project.site.log), project.service.keys, result.env) == (0, [], {})


_POISON = """
key=$(sed 's/[0-9]*-1$/999-1/' <<< "$KEY")
cd .potmodels-cache/models
chmod -R u+w .
cd huggingface_org--tiny
ln -sf /etc/hostname config.json
printf X | dd of=model.safetensors bs=1 seek=100 conv=notrunc status=none
touch stranger.py
cd ../..
mkdir -p models/huggingface_org--evil .pot derived
touch models/huggingface_org--evil/model_info.json .pot/x derived/x token stored_tokens
rm -rf README.txt; ln -s /etc/passwd README.txt
"""


@pytest.mark.slow
def test_whatever_an_entry_holds_only_what_was_locked_is_left(project: Project) -> None:
    """An entry that somebody with write access made: newer, and for the same models."""
    good = project.job()
    key = good.run(steps()).outputs("models")["cache-key"]
    weights = "models/huggingface_org--tiny/model.safetensors"
    bytes_of_it = (good.workspace / ".potmodels-cache" / weights).read_bytes()
    given = {"path": ".potmodels-cache", "key": key, "enableCrossOsArchive": "true"}
    later = {**given, "key": re.sub(r"\d+-1$", "9999-1", key)}
    poisoned = project.job().run(
        [
            {"uses": "actions/cache/restore@v", "with": given},
            {"shell": "bash", "run": _POISON, "env": {"KEY": key}},
            {"uses": "actions/cache/save@v", "with": later},
        ]
    )
    assert poisoned.ok, poisoned.log
    assert project.service.keys == [key, later["key"]]

    job = project.job()
    result = job.run(steps(summary="true"))
    assert result.ok, result.log
    assert facts(result, "cache-matched-key", "cache-hit", "cache-state", "saved") == {
        "cache-matched-key": later["key"],
        "cache-hit": "false",
        "cache-state": "healed",
        "saved": "true",
    }
    folder = job.workspace / ".potmodels-cache"
    left = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert left == [
        ".gitignore", "CACHEDIR.TAG",
        "models/huggingface_org--tiny/config.json",
        weights,
        "models/huggingface_org--tiny/model_info.json",
    ]  # fmt: skip
    assert not [path for path in folder.rglob("*") if path.is_symlink()]
    assert (folder / weights).read_bytes() == bytes_of_it
    assert "stranger" in shown(result)


@pytest.mark.slow
def test_a_select_leaves_other_models_alone(project: Project) -> None:
    project.lock(TINY, OTHER)
    job = project.job()
    result = job.run(steps(select="*tiny"))
    (row,) = json.loads(result.outputs("models")["models"])
    assert row["name"] == TINY
    assert project.site.log.gets("org/other") == 0
