"""`potmodels push`, and `--remote` of the commands that fetch."""

import errno
import hashlib
import json
import os
from pathlib import Path

import pytest
from cli.harness import FILES, NAME, Cli, spoil
from s3 import both_remotes, require_s3
from standin import Repo

from pytest_potmodels.digests import digest_of_files


@pytest.fixture
def team(cli: Cli, stored: Path, remote: str) -> str:
    """The address of an empty remote, which the environment names; the model is in the cache."""
    cli.environ["POT_REMOTE"] = remote
    return remote


@pytest.fixture
def share(cli: Cli, stored: Path) -> Path:
    """An empty remote in a folder, which the environment names."""
    folder = cli.folder.parent / "share"
    cli.environ["POT_REMOTE"] = str(folder)
    return folder


def lose(cli: Cli) -> None:
    """Have an empty cache again."""
    cli.run("remove", NAME)
    cli.site.log.clear()


def weights(share: Path) -> Path:
    sha256 = hashlib.sha256(FILES["model.safetensors"]).hexdigest()
    return share / "objects" / sha256[:2] / sha256


def test_what_was_pushed_is_downloaded_without_the_hub(cli: Cli, team: str) -> None:
    (pushed,) = cli.json("push", NAME)
    assert (pushed["status"], pushed["objects"]) == ("pushed", 3)
    assert pushed["bytes"] == sum(map(len, FILES.values()))
    lose(cli)
    (model,) = cli.json("download", NAME)
    assert (model["status"], model["digest"]) == ("fetched", pushed["digest"])
    assert len(cli.site.log) == 0


def test_a_second_push_moves_nothing(cli: Cli, team: str) -> None:
    cli.run("push", NAME)
    (again,) = cli.json("push", NAME)
    assert (again["status"], again["objects"], again["bytes"]) == ("there", 0, 0)
    assert again["refs"] == []
    assert "0 objects, 0 bytes pushed" in cli.run("push", NAME).stderr


def test_a_dry_run_says_what_would_move_and_writes_nothing(cli: Cli, share: Path) -> None:
    (plan,) = cli.json("push", NAME, "--dry-run")
    assert (plan["status"], plan["objects"]) == ("to push", 3)
    assert not share.exists()
    assert "3 objects, 102.4 kB would be pushed" in cli.run("push", NAME, "--dry-run").stderr


@both_remotes
def test_two_processes_push_at_once(cli: Cli, team: str) -> None:
    children = [cli.start("push", NAME) for _ in range(2)]
    for child in children:
        out, err = child.communicate(timeout=60)
        assert child.returncode == 0, f"{out}\n{err}"
    lose(cli)
    cli.run("download", NAME)
    assert len(cli.site.log) == 0


def test_bytes_are_verified_before_they_are_pushed(cli: Cli, share: Path) -> None:
    spoil(cli.entry() / "model.safetensors")
    said = cli.fails("push", NAME, code=4)
    assert "digest mismatch" in said
    assert f"potmodels verify --fix {NAME}" in said
    assert not share.exists()


def test_an_object_of_another_size_is_replaced_and_named(cli: Cli, share: Path) -> None:
    cli.run("push", NAME)
    weights(share).write_bytes(b"short")
    said = cli.run("push", NAME).stderr
    assert f"objects/{weights(share).parent.name}/{weights(share).name}" in said
    assert "it is replaced" in said
    assert weights(share).read_bytes() == FILES["model.safetensors"]


def test_an_object_with_other_bytes_is_found_where_that_is_asked_for(cli: Cli, share: Path) -> None:
    cli.run("push", NAME)
    spoil(weights(share))
    assert cli.json("push", NAME)[0]["status"] == "there"
    (again,) = cli.json("push", NAME, "--verify")
    assert (again["objects"], len(again["replaced"])) == (1, 1)
    assert weights(share).read_bytes() == FILES["model.safetensors"]


def test_a_gated_model_is_pushed_only_on_demand(cli: Cli, share: Path) -> None:
    cli.site.add_repo("org/gated", FILES, gated=True, token="hf_x", license="llama3")  # noqa: S106
    cli.environ["HF_TOKEN"] = "hf_x"  # noqa: S105
    cli.run("download", "hf:org/gated")
    said = cli.fails("push", "hf:org/gated", code=3)
    assert "licence (llama3) may not let you pass it on" in said
    assert "--gated" in said
    both = cli.json("push", "--all")
    assert [each["status"] for each in both] == ["refused", "pushed"]
    assert "gated" in both[0]["reason"]
    (pushed,) = cli.json("push", "hf:org/gated", "--gated")
    assert pushed["status"] == "pushed"


def test_what_is_used_in_place_is_not_pushed(cli: Cli, share: Path) -> None:
    own = cli.folder / "own"
    own.mkdir()
    for name, data in FILES.items():
        (own / name).write_bytes(data)
    cli.run("download", "file:own")
    assert "is used where it lies" in cli.fails("push", "file:own", code=2)
    found = {each["source"]: each["status"] for each in cli.json("push", "--all")}
    assert found == {"huggingface": "pushed", "file": "refused"}


def test_a_damaged_entry_is_an_error_and_the_others_are_pushed(cli: Cli, share: Path) -> None:
    cli.site.add_repo("org/other", FILES)
    cli.run("download", "hf:org/other")
    manifest = cli.entry() / "model_info.json"
    manifest.chmod(0o644)
    manifest.write_text("{")
    pushed = cli.json("push", "--all", code=4)
    assert sorted(each["status"] for each in pushed) == ["failed", "pushed"]


def test_a_preset_is_its_models(cli: Cli, share: Path) -> None:
    cli.configure('[models.own]\nsource = "huggingface"\nname = "org/tiny"\nkind = "language"\n'
                  '[presets.own]\nlanguage = "own"\n')  # fmt: skip
    assert [each["status"] for each in cli.json("push", "--preset", "own")] == ["pushed"]
    assert "not in the cache" in cli.fails("push", "hf:org/other", code=3)


def test_what_cannot_be_meant_is_said(cli: Cli, stored: Path) -> None:
    assert "No model is named" in cli.fails("push", code=2)
    assert "no remote to push to" in cli.fails("push", NAME, code=2)
    assert "--remote" in cli.fails("push", NAME, code=2)
    said = cli.fails("push", NAME, "--remote", "s33://bucket", code=2)
    assert "--remote: unknown scheme of a remote 's33'. Did you mean 's3'" in said


def test_a_closed_network_pushes_nothing(cli: Cli, share: Path) -> None:
    assert "network is closed by" in cli.fails("push", NAME, "--offline", code=3)
    assert not share.exists()


def test_a_share_that_takes_no_files_is_named(cli: Cli, share: Path) -> None:
    share.mkdir()
    share.chmod(0o555)
    if os.access(share, os.W_OK):
        pytest.skip("this user may write anywhere")
    try:
        said = cli.fails("push", NAME, code=3)
        assert f"The remote {share} failed at writing potmodels-remote.json" in said
        assert os.strerror(errno.EACCES) in said
    finally:
        share.chmod(0o755)


def test_what_is_no_folder_is_named(cli: Cli, share: Path) -> None:
    share.write_text("a file")
    assert f"The remote {share} failed" in cli.fails("push", NAME, code=3)


def test_a_disk_that_takes_no_more_is_named_and_nothing_half_is_seen(cli: Cli, share: Path) -> None:
    resource = pytest.importorskip("resource")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    with cli.start("push", NAME, preexec_fn=limit) as child:
        _, said = child.communicate(timeout=60)
    assert child.returncode == 3
    assert os.strerror(errno.EFBIG) in said
    assert not weights(share).exists()
    assert not [path for path in share.rglob("*") if path.name.startswith(".new-")]
    assert cli.json("push", NAME)[0]["status"] == "pushed"


def test_what_is_not_mounted_is_not_made_on_this_disk(cli: Cli, stored: Path) -> None:
    mount = cli.folder.parent / "mnt"
    said = cli.fails("push", NAME, "--remote", str(mount / "models"), code=3)
    assert "failed at writing" in said
    assert not mount.exists()


def test_a_read_only_share_is_pulled_from(cli: Cli, share: Path) -> None:
    cli.run("push", NAME)
    for path in [share, *share.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        lose(cli)
        cli.run("download", NAME)
        assert len(cli.site.log) == 0
    finally:
        for path in [share, *share.rglob("*")]:
            path.chmod(0o755)


def test_files_on_a_share_are_for_all_that_may_read_it(cli: Cli, share: Path) -> None:
    before = os.umask(0o022)
    try:
        cli.run("push", NAME)
    finally:
        os.umask(before)
    files = [path for path in share.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o644}
    assert not [path for path in files if path.name.startswith(".new-")]


def test_another_layout_is_not_written_to(cli: Cli, share: Path) -> None:
    share.mkdir()
    (share / "potmodels-remote.json").write_text('{"schema": 99}')
    said = cli.fails("push", NAME, code=2)
    assert "schema 99" in said
    assert [path.name for path in share.iterdir()] == ["potmodels-remote.json"]


def test_other_files_under_the_same_revision_are_a_mismatch(cli: Cli, share: Path) -> None:
    cli.run("push", NAME)
    (manifest,) = share.glob("manifests/*/*/*.json")
    facts = json.loads(manifest.read_text())
    del facts["files"][0]
    facts["digest"] = digest_of_files({file["path"]: file["sha256"] for file in facts["files"]})
    manifest.write_text(json.dumps(facts))
    said = cli.fails("push", NAME, code=4)
    assert "has another manifests/huggingface/" in said


def test_a_branch_that_moved_is_moved_and_named(cli: Cli, share: Path, tiny: Repo) -> None:
    cli.run("push", NAME)
    newer = tiny.commit({**FILES, "config.json": b"{}"})
    cli.run("download", NAME, "--force")
    said = cli.run("push", NAME).stderr
    assert "refs/huggingface/huggingface_org--tiny/_default.json" in said
    assert "it is moved" in said
    lose(cli)
    assert cli.json("download", NAME)[0]["revision"] == newer
    assert len(cli.site.log) == 0


def test_a_remote_with_other_bytes_than_the_lock_is_refused(
    cli: Cli, share: Path, tiny: Repo
) -> None:
    cli.run("push", NAME)
    cli.run("lock", NAME)
    evil = b"evil"
    sha256 = hashlib.sha256(evil).hexdigest()
    (manifest,) = share.glob("manifests/*/*/*.json")
    facts = json.loads(manifest.read_text())
    for file in facts["files"]:
        file.update(sha256=sha256, size=len(evil))
    facts["digest"] = digest_of_files({file["path"]: sha256 for file in facts["files"]})
    manifest.write_text(json.dumps(facts))
    for ref in share.glob("refs/*/*/*.json"):
        ref.write_text(json.dumps({**json.loads(ref.read_text()), "digest": facts["digest"]}))
    (share / "objects" / sha256[:2]).mkdir(exist_ok=True)
    (share / "objects" / sha256[:2] / sha256).write_bytes(evil)
    lose(cli)
    said = cli.run("download", NAME).stderr
    assert "the remote is refused" in said
    assert (cli.entry() / "model.safetensors").read_bytes() == FILES["model.safetensors"]


def test_credentials_of_a_remote_are_shown_nowhere(cli: Cli, stored: Path) -> None:
    secret = "s3cr%2Fet-key"  # noqa: S105
    remote = f"s3://AKIDEXAMPLE:{secret}@bucket/models"
    require_s3()
    cli.environ |= {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9", "AWS_EC2_METADATA_DISABLED": "1"}
    also = ("--remote", remote, "--debug", "--timeout", "1")
    ended = [cli.run("push", NAME, *also, code=3), cli.run("download", "hf:org/x", *also, code=3)]
    cli.environ["POT_REMOTE"] = remote
    ended.append(cli.run("config"))
    said = "".join(each.stdout + each.stderr for each in ended)
    assert "s3://bucket/models" in said
    for word in (secret, "s3cr/et-key", "AKIDEXAMPLE"):
        assert word not in said


def test_a_warm_command_without_a_remote_imports_no_fsspec(cli: Cli, stored: Path) -> None:
    said = cli.process("download", NAME, imports=["fsspec", "s3fs", "aiobotocore"])
    assert said.stderr.rstrip().endswith("imported:")
    cli.environ["POT_REMOTE"] = "s3://bucket/models"
    said = cli.process("download", NAME, imports=["fsspec", "s3fs", "aiobotocore"])
    assert said.stderr.rstrip().endswith("imported:")
