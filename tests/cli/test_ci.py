"""`potmodels ci`: a job's key, its warm cache, and what is kept of it."""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cli.harness import FILES, NAME, Cli, spoil
from lease_holders import lease_holders
from standin import Repo

from pytest_potmodels.digests import hash_file
from pytest_potmodels.store import manifest
from pytest_potmodels.store.layout import MANIFEST

WEIGHTS = "model.safetensors"
SIZE = sum(map(len, FILES.values()))
OTHER = "huggingface:org/other"
PLAN = ("--select", "plan", "--python", sys.executable)
KEY = "hf_right"


@pytest.fixture(autouse=True)
def no_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job of no service in particular, also where these tests are one of GitHub's."""
    for name in os.environ:
        if name.startswith("GITHUB_"):
            monkeypatch.delenv(name)


@pytest.fixture
def job(cli: Cli, tiny: Repo) -> Cli:
    """A project with a lock of one model."""
    cli.run("lock", NAME)
    cli.site.log.clear()
    return cli


@pytest.fixture
def warm(job: Cli) -> Cli:
    """A job whose cache is as it was saved."""
    job.run("ci", "warm")
    job.site.log.clear()
    return job


def root(cli: Cli) -> Path:
    return cli.folder / ".potmodels-cache"


def entry(cli: Cli) -> Path:
    return root(cli) / "models" / "huggingface_org--tiny"


def below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def states(outputs: Any) -> list[str]:
    return [row["state"] for row in outputs["models"]]


def saved(cli: Cli) -> None:
    """The folder holds what an entry of the service is made of: models and labels."""
    files = {f"models/huggingface_org--tiny/{path}" for path in (*FILES, "model_info.json")}
    assert below(root(cli)) - files <= {".gitignore", "CACHEDIR.TAG", "README.txt"}
    assert (entry(cli) / WEIGHTS).read_bytes() == FILES[WEIGHTS]


def test_a_cold_job_fetches_and_the_next_one_hits(job: Cli) -> None:
    cold = job.json("ci", "warm")
    assert (cold["cache-state"], cold["cache-hit"], cold["save-needed"]) == ("miss", False, True)
    assert states(cold) == ["fetched"]
    assert cold["downloaded-bytes"] >= SIZE
    saved(job)
    job.site.log.clear()
    again = job.json("ci", "warm")
    assert (again["cache-state"], again["cache-hit"], again["save-needed"]) == ("hit", True, False)
    assert (again["network-requests"], again["verified-bytes"]) == (0, SIZE)
    assert again["verified-against"] == "lock"
    assert len(job.site.log) == 0
    saved(job)


def test_the_rows_say_which_model_from_where_and_how_large(job: Cli, tiny: Repo) -> None:
    (row,) = job.json("ci", "warm")["models"]
    assert row.pop("seconds") > 0
    assert row == {
        "name": NAME, "revision": tiny.sha, "source": "huggingface", "bytes": SIZE,
        "state": "fetched",
    }  # fmt: skip


def test_a_truncated_file_is_fetched_again_and_no_other(warm: Cli) -> None:
    weights = entry(warm) / WEIGHTS
    weights.chmod(0o644)
    with weights.open("r+b") as stream:
        stream.truncate(50_000)
    healed = warm.json("ci", "warm")
    assert (healed["cache-state"], states(healed)) == ("healed", ["healed"])
    assert (healed["cache-hit"], healed["save-needed"]) == (False, True)
    assert warm.site.log.gets("config.json") == 0
    saved(warm)
    assert warm.json("ci", "warm")["cache-state"] == "hit"


def test_a_changed_byte_of_the_same_size_is_found(warm: Cli) -> None:
    spoil(entry(warm) / WEIGHTS)
    assert warm.json("ci", "warm")["cache-state"] == "healed"
    saved(warm)


def test_a_link_in_place_of_a_file_is_deleted_and_what_it_leads_to_stays(warm: Cli) -> None:
    outside = warm.folder / "outside"
    outside.write_bytes(FILES[WEIGHTS])
    weights = entry(warm) / WEIGHTS
    weights.unlink()
    weights.symlink_to(outside)
    assert warm.json("ci", "warm")["cache-state"] == "healed"
    assert not weights.is_symlink()
    assert outside.read_bytes() == FILES[WEIGHTS]
    saved(warm)


@pytest.mark.parametrize("what", ["models", "models/huggingface_org--tiny", "."])
def test_a_link_in_place_of_a_folder_is_deleted_and_not_followed(warm: Cli, what: str) -> None:
    place = root(warm) / what
    outside = warm.folder / "outside"
    shutil.move(place, outside)
    place.symlink_to(outside, target_is_directory=True)
    before = below(outside)
    assert states(warm.json("ci", "warm")) != ["hit"]
    assert not place.is_symlink()
    assert below(outside) == before
    saved(warm)


def test_what_a_failed_restore_left_in_part_is_removed(job: Cli) -> None:
    part = entry(job)
    part.mkdir(parents=True)
    (part / WEIGHTS).write_bytes(FILES[WEIGHTS][:40_000])
    healed = job.json("ci", "warm")
    assert (healed["cache-state"], states(healed)) == ("healed", ["healed"])
    saved(job)


def test_unknown_files_and_tokens_go(warm: Cli) -> None:
    (entry(warm) / "run_me.py").write_text("print()")
    (entry(warm) / "sub").mkdir()
    (root(warm) / "models" / "stranger").mkdir()
    (root(warm) / "token").write_text("hf_secret")
    (root(warm) / "derived").mkdir()
    assert warm.json("ci", "warm")["cache-state"] == "healed"
    saved(warm)


def test_what_no_use_leaves_there_makes_another_entry(warm: Cli) -> None:
    """Else the entry with somebody's token in it would be found for ever."""
    (root(warm) / "token").write_text("hf_secret")
    healed = warm.json("ci", "warm")
    assert (healed["cache-state"], states(healed)) == ("healed", ["hit"])
    assert (healed["cache-hit"], healed["save-needed"]) == (False, True)
    (root(warm) / ".pot").mkdir()
    (root(warm) / "derived").mkdir()
    assert warm.json("ci", "warm")["cache-state"] == "hit"
    saved(warm)


def test_what_is_said_of_broken_things_is_what_was_done(warm: Cli) -> None:
    (root(warm) / "models" / "stranger").mkdir()
    (root(warm) / "token").write_text("hf_secret")
    (entry(warm) / "extra.py").write_text("")
    spoil(entry(warm) / WEIGHTS)
    said = warm.run("ci", "warm").stderr.splitlines()
    warnings = [
        line for line in said if line.endswith(("; deleted", "; deleted, and fetched again"))
    ]
    assert [line.rpartition("; ")[2] for line in warnings] == [
        "deleted", "deleted", "deleted, and fetched again", "deleted",
    ]  # fmt: skip
    assert warnings[0] == "warning: token is not what a cache of models has; deleted"
    spoil(entry(warm) / MANIFEST)
    (line,) = [line for line in warm.run("ci", "warm").stderr.splitlines() if "manifest" in line]
    assert line.startswith(f"warning: huggingface_org--tiny/{MANIFEST} is no readable manifest (")
    assert line.endswith("); deleted, and fetched again")
    spoil(entry(warm) / WEIGHTS)
    assert "and fetched again" not in warm.run("ci", "warm", "--offline", code=4).stderr


def test_a_hard_link_to_a_file_elsewhere_opens_it_to_nobody(warm: Cli) -> None:
    """An archive may hold links to any file of the runner's user."""
    private = warm.folder / "id_rsa"
    private.write_text("private")
    private.chmod(0o600)
    for link in (root(warm) / "models" / "x", entry(warm) / "y", root(warm) / "z"):
        os.link(private, link)
    assert warm.json("ci", "warm")["cache-state"] == "healed"
    assert (private.stat().st_mode & 0o777, private.read_text()) == (0o600, "private")
    saved(warm)


def test_a_record_that_came_with_the_entry_vouches_for_nothing(warm: Cli) -> None:
    """A stat signature of another machine says that a file was hashed here; it was not."""
    spoil(entry(warm) / WEIGHTS)
    facts = (entry(warm) / WEIGHTS).stat()
    mark = [facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino]
    state = root(warm) / ".pot" / "state"
    state.mkdir(parents=True)
    (state / "huggingface_org--tiny.json").write_text(f'{{"{WEIGHTS}": {mark}}}')
    assert warm.json("ci", "warm")["cache-state"] == "healed"
    saved(warm)


def test_a_manifest_of_other_bytes_than_the_lock_is_no_manifest(warm: Cli, tiny: Repo) -> None:
    """Whoever can write the cache can write a manifest that agrees with bad weights."""
    lock = (warm.folder / "potmodels.lock").read_text()
    tiny.commit({**FILES, WEIGHTS: b"bad weights" * 100})
    warm.run("lock", "--update", NAME)
    warm.run("ci", "warm")
    (warm.folder / "potmodels.lock").write_text(lock)
    healed = warm.json("ci", "warm")
    assert states(healed) == ["fetched"]
    saved(warm)


def test_a_manifest_that_agrees_with_bad_weights_is_refused(warm: Cli) -> None:
    """The same revision, other bytes, and a manifest whose digests are those of these bytes."""
    path = entry(warm) / MANIFEST
    known = manifest.read(path)
    spoil(entry(warm) / WEIGHTS)
    bad = hash_file(entry(warm) / WEIGHTS).sha256
    files = [replace(file, sha256=bad) if file.path == WEIGHTS else file for file in known.files]
    manifest.write(replace(known, files=tuple(files)), path)
    healed = warm.json("ci", "warm")
    assert (healed["cache-state"], states(healed)) == ("healed", ["healed"])
    saved(warm)


def test_a_broken_file_that_cannot_be_fetched_is_not_kept(warm: Cli) -> None:
    spoil(entry(warm) / WEIGHTS)
    failed = warm.json("ci", "warm", "--offline", code=4)
    assert (states(failed), failed["save-needed"]) == (["failed"], False)
    assert not entry(warm).exists()
    assert not (root(warm) / ".pot").exists()


def test_a_changed_lock_takes_what_it_can_from_the_entry_before(warm: Cli) -> None:
    warm.site.add_repo("org/other", {**FILES, WEIGHTS: b"others" * 100})
    warm.run("lock", OTHER)
    warm.site.log.clear()
    partial = warm.json("ci", "warm")
    assert (partial["cache-state"], sorted(states(partial))) == ("partial", ["fetched", "hit"])
    assert partial["save-needed"]
    assert warm.site.log.gets("org/tiny") == 0


def test_what_is_no_longer_locked_is_pruned_and_saved_anew(warm: Cli) -> None:
    warm.site.add_repo("org/other", FILES)
    warm.run("lock", OTHER)
    warm.run("ci", "warm")
    chosen = warm.json("ci", "warm", "--select", NAME)
    assert (chosen["cache-state"], states(chosen)) == ("partial", ["hit"])
    assert chosen["save-needed"]
    saved(warm)


def test_keys_are_of_content_and_run(job: Cli) -> None:
    job.environ |= {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "77", "GITHUB_RUN_ATTEMPT": "2"}
    found = job.json("ci", "keys", "--cache-suffix", "gpu")
    content, family = found["restore-keys"].splitlines()
    assert found["key"] == f"{content}77-2"
    assert family == "potmodels-v1-gpu-"
    assert len(content.removeprefix(family)) == 33
    assert found["cache-dir"] == ".potmodels-cache"
    lock = job.folder / "potmodels.lock"
    lock.write_text("# a comment\n" + lock.read_text())
    assert job.json("ci", "keys", "--cache-suffix", "gpu")["key"] == found["key"]
    job.site.add_repo("org/other", FILES)
    job.run("lock", OTHER)
    assert job.json("ci", "keys", "--cache-suffix", "gpu")["key"] != found["key"]
    assert len(job.site.log.select()) > 0  # By `lock` alone:
    job.site.log.clear()
    job.run("ci", "keys")
    assert len(job.site.log) == 0


def test_without_a_lock_names_are_the_key_and_manifests_the_law(cli: Cli, tiny: Repo) -> None:
    words = ("--models", NAME)
    assert cli.json("ci", "keys", *words)["key"].startswith("potmodels-v1--")
    assert cli.json("ci", "warm", *words)["verified-against"] == "manifests"
    cli.site.log.clear()
    spoil(entry(cli) / WEIGHTS)
    healed = cli.json("ci", "warm", *words)
    assert (healed["cache-state"], healed["verified-against"]) == ("healed", "manifests")
    assert cli.json("ci", "warm", *words)["network-requests"] == 0
    saved(cli)


def test_nothing_that_says_which_models_is_an_error(cli: Cli) -> None:
    assert "Nothing says which models" in cli.fails("ci", "warm", code=2)
    assert not root(cli).exists()


def test_lock_and_names_at_once_are_an_error(job: Cli) -> None:
    assert "leave them out" in job.fails("ci", "warm", "--models", NAME, code=2)


def test_a_named_lock_file_must_be_there(job: Cli) -> None:
    assert "no.lock" in job.fails("ci", "keys", "--lockfile", "no.lock", code=2)


def test_a_selection_that_fits_nothing_has_close_matches(job: Cli) -> None:
    said = job.fails("ci", "warm", "--select", "org/tin", code=2)
    assert "Did you mean 'org/tiny'" in said


PLANNED = f"""
import os, pytest
assert not {{"HF_TOKEN", "POT_ACTION_TOKEN"}} & {{*os.environ}}
@pytest.mark.requires_model({NAME!r})
def test_it(language_model): ...
"""


def test_the_plan_of_the_tests_selects_and_their_code_sees_no_token(job: Cli) -> None:
    job.site.add_repo("org/other", FILES)
    job.run("lock", OTHER)
    (job.folder / "test_it.py").write_text(PLANNED)
    job.environ |= {"HF_TOKEN": KEY, "POT_ACTION_TOKEN": KEY}
    chosen = job.json("ci", "warm", *PLAN)
    assert [row["name"] for row in chosen["models"]] == [NAME]


def test_names_beside_a_plan_are_an_error(cli: Cli) -> None:
    assert "`models`" in cli.fails("ci", "keys", "--models", NAME, *PLAN, code=2)


def test_what_is_planned_and_not_locked_is_an_error(job: Cli) -> None:
    (job.folder / "test_it.py").write_text(PLANNED.replace("tiny", "large"))
    assert "org/large is not in" in job.fails("ci", "keys", *PLAN, code=3)


def test_a_pytest_without_the_plugin_is_said(job: Cli) -> None:
    (job.folder / "test_it.py").write_text(PLANNED)
    job.environ["PYTEST_ADDOPTS"] = "-p no:potmodels"
    said = job.run("ci", "keys", *PLAN, code=2).stderr
    assert "has no pytest with pytest-potmodels" in said


def test_an_interpreter_without_the_plugin_is_named(job: Cli) -> None:
    said = job.fails("ci", "keys", "--select", "plan", "--python", "no-such-python", code=2)
    assert "'no-such-python' cannot be run" in said


def test_a_gated_model_is_cached_by_choice_alone(cli: Cli) -> None:
    cli.site.add_repo("org/secret", FILES, gated=True, token=KEY)
    cli.environ["HF_TOKEN"] = KEY
    cli.run("lock", "huggingface:org/secret")
    refused = cli.run("ci", "warm", code=3)
    assert "allow-gated: true" in refused.stderr
    assert not (root(cli) / "models").exists() or not list((root(cli) / "models").iterdir())
    outputs = cli.json("ci", "warm", code=3)
    assert (outputs["cache-state"], states(outputs)) == ("refused", ["refused"])
    assert cli.json("ci", "warm", "--allow-gated", "yes")["cache-state"] == "miss"
    assert cli.json("ci", "warm", "--cache", "false")["cache-state"] == "off"


def test_a_gated_model_that_no_lock_knew_is_removed_again(cli: Cli) -> None:
    cli.site.add_repo("org/secret", FILES, gated=True, token=KEY)
    cli.environ["POT_ACTION_TOKEN"] = KEY
    assert states(cli.json("ci", "warm", "--models", "hf:org/secret", code=3)) == ["refused"]
    assert list((root(cli) / "models").iterdir()) == []


def test_the_token_opens_what_it_opens_and_is_written_nowhere(cli: Cli) -> None:
    cli.site.add_repo("org/secret", FILES, private=True, token=KEY)
    cli.environ["POT_ACTION_TOKEN"] = KEY
    said = cli.run("ci", "warm", "--models", "hf:org/secret", "--debug")
    written = [path for path in cli.folder.rglob("*") if path.is_file()]
    assert not [path for path in written if KEY.encode() in path.read_bytes()]
    assert KEY not in said.stdout + said.stderr


def test_more_than_max_size_is_warm_and_not_saved(job: Cli) -> None:
    done = job.run("ci", "warm", "--max-size", "10kB")
    assert "the largest: huggingface:org/tiny (102.4 kB)" in done.stderr
    outputs = job.json("ci", "warm", "--max-size", "10kB")
    assert (outputs["cache-state"], outputs["save-needed"]) == ("refused", False)
    assert (entry(job) / WEIGHTS).exists()


def test_a_model_that_cannot_be_had_fails_the_job_and_saves_nothing(
    job: Cli, tmp_path: Path
) -> None:
    job.environ |= {"GITHUB_ACTIONS": "true", "GITHUB_ENV": str(tmp_path / "env")}
    failed = job.json("ci", "warm", "--offline", code=3)
    assert (states(failed), failed["save-needed"]) == (["failed"], False)
    assert not (tmp_path / "env").exists()


def test_prune_keeps_the_models_alone(warm: Cli) -> None:
    (root(warm) / "derived" / "x").mkdir(parents=True)
    (root(warm) / "models" / "huggingface_org--old").mkdir()
    gone = warm.json("ci", "prune")
    assert gone == {
        "kept": ["huggingface_org--tiny"], "removed": ["derived", "huggingface_org--old"]
    }  # fmt: skip
    saved(warm)


def test_a_folder_of_somebody_elses_is_not_touched(job: Cli) -> None:
    mine = job.folder / "mine"
    mine.mkdir()
    (mine / "thesis.tex").write_text("years of work")
    for command in ("keys", "warm", "prune"):
        said = job.fails("ci", command, "--cache-dir", "mine", code=2)
        assert "it holds thesis.tex" in said
    for held in (".", "..", "/", "~", "mine/.."):
        assert "no folder for a cache" in job.fails("ci", "warm", "--cache-dir", held, code=2)
    assert below(mine) == {"thesis.tex"}
    (job.folder / "README.md").write_text("mine")
    assert "is no folder" in job.fails("ci", "warm", "--cache-dir", "README.md", code=2)
    assert (job.folder / "README.md").read_text() == "mine"


def test_the_project_may_be_below_the_workspace(job: Cli) -> None:
    project = job.folder / "sub"
    project.mkdir()
    shutil.move(job.folder / "potmodels.lock", project)
    job.run("ci", "warm", "--working-directory", "sub")
    saved(job)
    assert Path.cwd() == job.folder
    said = job.fails("ci", "warm", "--working-directory", "nowhere", code=2)
    assert "'nowhere'" in said


def test_every_input_is_an_option_and_goes_before_its_variable(job: Cli) -> None:
    job.environ["POT_ACTION_CACHE_SUFFIX"] = "variable"
    assert "-variable-" in job.json("ci", "keys")["key"]
    assert "-option-" in job.json("ci", "keys", "--cache-suffix", "option")["key"]
    job.environ["POT_ACTION_TIMEOUT"] = "soon"
    assert "'soon' is no time" in job.fails("ci", "keys", code=2)


def test_a_misspelt_input_is_an_error(job: Cli) -> None:
    job.environ["POT_ACTION_CACHE_SUFIX"] = "x"
    said = job.fails("ci", "keys", code=2)
    assert "unknown input 'cache-sufix'. Did you mean 'cache-suffix'" in said


def test_a_hit_needs_no_framework_and_no_http_client(warm: Cli) -> None:
    heavy = ("torch", "transformers", "torchvision", "numpy", "huggingface_hub", "httpx2", "rich")
    done = warm.process("ci", "warm", imports=heavy)
    assert "cache-state: hit" in done.stdout
    assert done.stderr.splitlines()[-1] == "imported:"


def test_a_lock_without_models_is_nothing_to_keep(job: Cli) -> None:
    (job.folder / "potmodels.lock").write_text("version = 1\n")
    outputs = job.json("ci", "warm")
    assert (outputs["models"], outputs["save-needed"]) == ([], False)
    assert job.json("ci", "keys")["key"]


def test_a_model_that_stays_with_its_owner_is_verified_and_not_kept(job: Cli) -> None:
    (job.folder / "own").mkdir()
    (job.folder / "own" / "config.json").write_bytes(FILES["config.json"])
    (job.folder / "own" / WEIGHTS).write_bytes(FILES[WEIGHTS])
    (job.folder / "potmodels.lock").unlink()
    job.run("lock", "file:own")
    outputs = job.json("ci", "warm")
    assert (states(outputs), outputs["save-needed"]) == (["hit"], False)
    spoil(job.folder / "own" / WEIGHTS)
    assert states(job.json("ci", "warm", code=4)) == ["failed"]


def test_two_refs_of_one_commit_are_one_model(job: Cli, tiny: Repo) -> None:
    tiny.tag("v1", tiny.sha)
    job.run("lock", f"{NAME}@v1")
    assert job.json("ci", "warm")["cache-state"] == "miss"
    assert job.json("ci", "warm")["cache-state"] == "hit"
    assert job.json("ci", "warm", "--select", f"{NAME}@v1")["cache-state"] == "hit"
    assert job.json("ci", "warm", "--max-size", str(SIZE))["cache-state"] == "hit"


def test_a_folder_that_another_process_uses_is_left_alone(warm: Cli) -> None:
    with lease_holders(root(warm)) as start:
        start("huggingface_org--tiny")
        for command in ("warm", "prune"):
            assert "is in use by process" in warm.fails("ci", command, code=3)
    assert warm.json("ci", "warm")["cache-state"] == "hit"


@pytest.mark.slow
def test_a_hit_costs_no_more_than_its_hashing(job: Cli) -> None:
    data = os.urandom(1 << 20) * 400
    job.site.add_repo("org/large", {"config.json": b"{}", WEIGHTS: data})
    job.run("lock", "huggingface:org/large")
    job.run("ci", "warm", "--select", "org/large")
    started = time.monotonic()
    hashlib.sha256(data)
    plain = time.monotonic() - started
    outputs = job.json("ci", "warm", "--select", "org/large")
    assert outputs["cache-state"] == "hit"
    assert outputs["seconds"] < plain * 2 + 1


@pytest.mark.skipif(sys.platform != "linux", reason="paths of 3000 characters")
def test_folders_without_end_are_an_error_of_the_folder(warm: Cli) -> None:
    for depth in range(1, 1501):
        Path(root(warm) / "models" / "/".join("d" * depth)).mkdir()
    try:
        code = warm.run("ci", "warm", code=None).exit_code
        assert code in (0, 3)  # 3 where this Python walks folders by calling itself.
    finally:
        subprocess.run(["rm", "-r", root(warm) / "models" / "d"], check=False)
