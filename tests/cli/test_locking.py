"""`potmodels lock`: what it writes, what it keeps, and what it checks."""

import itertools
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cli.harness import FILES, NAME, Cli, spoil
from standin import Repo

from pytest_potmodels.errors import DigestMismatchError
from pytest_potmodels.session.by_name import fetch

OTHER = {"config.json": b'{"model_type": "bert", "n": 1}', "model.safetensors": b"other" * 500}
OWN = """
[models.mine]
source = "torchvision"
name = "squeezenet1_1"
weights = "https://download.pytorch.org/mine.pth"

[presets.small]
vision = "mine"
language = "hf:org/tiny"
"""


@pytest.fixture
def lock(cli: Cli) -> Path:
    return cli.folder / "potmodels.lock"


@pytest.fixture
def other(cli: Cli) -> Repo:
    return cli.site.add_repo(
        "org/other", OTHER, license=None, gated=False, tags={"v1": FILES}, aliases=("old/other",)
    )


@pytest.fixture
def bert(cli: Cli) -> Repo:
    return cli.site.add_repo("google-bert/bert-base-uncased", FILES, aliases=("bert-base-uncased",))


def models(lock: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(lock.read_text(encoding="utf-8"))["model"]
    return found


def edited(lock: Path, old: str, new: str) -> None:
    text = lock.read_text(encoding="utf-8")
    assert old in text
    lock.write_text(text.replace(old, new, 1), encoding="utf-8", newline="\n")


def other_digest(lock: Path) -> str:
    """Change the first digest of a lock file, and return the new one."""
    digest: str = models(lock)[0]["files"][0]["sha256"]
    changed = ("0" if digest[0] != "0" else "1") + digest[1:]
    edited(lock, digest, changed)
    return changed


def test_a_lock_says_what_a_model_is(cli: Cli, tiny: Repo, lock: Path) -> None:
    said = cli.run("lock", NAME)
    text = lock.read_bytes().decode()
    assert "\r" not in text
    assert text.startswith("# ")
    assert "potmodels lock --update" in text.split("version")[0]
    (model,) = models(lock)
    files = model.pop("files")
    assert model == {
        "source": "huggingface",
        "id": "org/tiny",
        "names": [NAME],
        "ref": "main",
        "revision": tiny.sha,
        "license": "apache-2.0",
        "gated": False,
    }
    assert {file["path"]: file["size"] for file in files} == {
        path: len(data) for path, data in FILES.items()
    }
    assert all(re.fullmatch("[0-9a-f]{64}", file["sha256"]) for file in files)
    assert "added" in said.stdout
    assert f"1 model in {lock}" in said.stderr
    assert cli.site.hub.url not in text


def test_a_licence_that_nobody_states_is_unknown(cli: Cli, other: Repo, lock: Path) -> None:
    cli.run("lock", "org/other")
    assert models(lock)[0]["license"] == "unknown"


def test_in_any_order_it_is_the_same_to_the_byte(
    cli: Cli, tiny: Repo, other: Repo, bert: Repo, lock: Path
) -> None:
    names = ("bert", "google-bert/bert-base-uncased", NAME, "old/other")
    texts = set()
    for number, order in enumerate(itertools.permutations(names)):
        if number % 5 == 0:
            cli.environ["POT_CACHE_DIR"] = str(cli.folder / f"cache{number}")
        cli.run("lock", *order)
        texts.add(lock.read_bytes())
        lock.unlink()
    for name in reversed(names):  # Each by itself comes to the same.
        cli.run("lock", name)
    assert texts == {lock.read_bytes()}
    known = {model["id"]: model for model in models(lock)}
    assert known["google-bert/bert-base-uncased"]["names"] == list(names[:2])
    assert known["google-bert/bert-base-uncased"]["aliases"] == ["bert-base-uncased"]
    assert known["org/other"]["aliases"] == ["old/other"]
    assert list(known) == sorted(known)


def test_locking_again_changes_nothing_and_asks_nobody(cli: Cli, tiny: Repo, lock: Path) -> None:
    cli.run("lock", NAME)
    before = lock.read_bytes()
    tiny.commit({**FILES, "config.json": b"{}"})
    cli.site.log.clear()
    said = cli.run("lock", NAME)
    assert lock.read_bytes() == before
    assert "kept" in said.stdout
    assert "as before" in said.stderr
    assert list(cli.site.log) == []


def test_what_is_in_the_cache_is_locked_without_a_request(
    cli: Cli, stored: Path, lock: Path
) -> None:
    cli.run("lock", NAME, "--offline")
    assert list(cli.site.log) == []
    assert len(models(lock)) == 1


def test_update_moves_one_or_all(cli: Cli, tiny: Repo, other: Repo, lock: Path) -> None:
    cli.run("lock", NAME, "org/other")
    first = {model["id"]: model["revision"] for model in models(lock)}
    for repo in (tiny, other):
        repo.commit({**OTHER, "config.json": b'{"model_type": "bert", "n": 2}'})
    cli.run("lock", "--update", "org/other")
    second = {model["id"]: model["revision"] for model in models(lock)}
    assert second == {**first, "org/other": other.sha}
    done = cli.json("lock", "--update")
    assert {each["name"]: each["status"] for each in done} == {
        "org/tiny": "updated",
        "org/other": "kept",
    }
    assert {model["revision"] for model in models(lock)} == {tiny.sha, other.sha}


def test_update_fetches_no_bytes_that_are_there(cli: Cli, tiny: Repo, lock: Path) -> None:
    cli.run("lock", NAME)
    cli.site.log.clear()
    cli.run("lock", "--update")
    assert cli.site.log.gets("/resolve/") == 0


def test_a_second_revision_is_a_second_entry(cli: Cli, other: Repo, lock: Path) -> None:
    cli.run("lock", "org/other@v1", "org/other", "org/other@main")
    main, tagged = models(lock)
    assert (main["ref"], main["names"]) == ("main", ["org/other", "org/other@main"])
    assert (tagged["ref"], tagged["names"]) == ("v1", ["org/other@v1"])
    assert main["revision"] == other.sha != tagged["revision"]


def test_a_preset_alone_is_the_whole_lock(cli: Cli, tiny: Repo, other: Repo, lock: Path) -> None:
    cli.site.add_download("/mine.pth", b"weights of a network" * 100)
    cli.configure(OWN)
    cli.run("lock", "org/other")
    said = cli.run("lock", "--preset", "small")
    assert "removed" in said.stdout
    small, mine = models(lock)
    assert small["id"] == "org/tiny"
    assert mine["weights"] == "https://download.pytorch.org/mine.pth"
    assert mine["architecture"] == "squeezenet1_1"
    assert mine["files"][0]["url"] == "https://download.pytorch.org/mine.pth"
    cli.run("lock", "--preset", "small", "org/other")
    assert len(models(lock)) == 3


def test_mocks_are_not_locked(cli: Cli, lock: Path) -> None:
    cli.run("lock", "mock-cnn")
    assert "model" not in tomllib.loads(lock.read_text())


def test_what_fails_leaves_the_lock_as_it_was(cli: Cli, tiny: Repo, lock: Path) -> None:
    cli.run("lock", NAME)
    before = lock.read_bytes()
    said = cli.fails("lock", "org/nowhere", "hf:org/tiny@v9", code=3)
    assert "is left as it was" in said
    assert lock.read_bytes() == before


def test_two_processes_at_once_lose_nothing(cli: Cli, lock: Path) -> None:
    names = [f"org/m{number}" for number in range(4)]
    for number, name in enumerate(names):
        cli.site.add_repo(name, {**OTHER, "config.json": b'{"n": %d}' % number})
    children = [cli.start("lock", name) for name in names]
    for child in children:
        with child:
            _, err = child.communicate(timeout=120)
            assert child.returncode == 0, err
    assert [model["id"] for model in models(lock)] == names
    assert [path.name for path in cli.folder.glob(".*lock*")] == []


def test_a_link_stays_one(cli: Cli, tiny: Repo, lock: Path) -> None:
    shared = cli.folder / "shared.lock"
    try:
        lock.symlink_to(shared)
    except OSError:
        pytest.skip("this system makes no links for this user")
    cli.run("lock", NAME)
    assert lock.is_symlink()
    assert len(models(shared)) == 1


def test_nothing_named_is_an_error(cli: Cli) -> None:
    assert "--from-tests" in cli.fails("lock", code=2)
    assert "takes no --update" in cli.fails("lock", "--check", "--update", code=2)
    assert "takes no --preset" in cli.fails("lock", "--from-tests", "--preset", "test", code=2)


def test_another_file_is_named_by_option_or_variable(cli: Cli, tiny: Repo, lock: Path) -> None:
    cli.run("lock", NAME, "--lock", "locks.toml")
    assert len(models(cli.folder / "locks.toml")) == 1
    cli.environ["POT_LOCK"] = "more.lock"
    cli.run("lock", NAME)
    assert len(models(cli.folder / "more.lock")) == 1
    assert not lock.exists()
    said = cli.fails("lock", NAME, "--lock", "none", code=2)
    assert "--lock says that there is no lock file" in said
    assert "cannot be written" in cli.fails("lock", NAME, "--lock", "no/such.lock", code=3)
    if Path("/proc/self").exists():  # It says that it takes files, and takes none.
        assert "cannot be written" in cli.fails("lock", NAME, "--lock", "/proc/a.lock", code=3)


def test_a_model_with_a_new_name_is_still_one(cli: Cli, lock: Path) -> None:
    cli.site.add_repo("old/name", FILES)
    cli.run("lock", "old/name")
    cli.site.add_repo("new/name", FILES, aliases=("old/name",))
    cli.run("lock", "--update")
    (model,) = models(lock)
    assert (model["id"], model["aliases"]) == ("new/name", ["old/name"])
    cli.run("lock", "new/name")
    assert models(lock)[0]["names"] == ["new/name", "old/name"]
    assert cli.json("warm", "--locked")[0]["status"] == "there"


def test_a_name_that_means_another_model_now_goes_with_it(
    cli: Cli, tiny: Repo, other: Repo, lock: Path
) -> None:
    for name in ("tiny", "other"):
        cli.configure(f'[models.ours]\nsource = "hf"\nname = "org/{name}"\n')
        cli.run("lock", "ours")
    moved, left = models(lock)
    assert (moved["id"], moved["names"]) == ("org/other", ["ours"])
    assert (left["id"], "names" in left) == ("org/tiny", False)
    cli.run("warm", "--locked")


# ---- In force ---------------------------------------------------------------------------------


def test_a_pin_holds_when_the_branch_moves(cli: Cli, tiny: Repo, lock: Path) -> None:
    cli.run("lock", NAME)
    pinned = tiny.sha
    tiny.commit({**FILES, "config.json": b"{}"})
    cli.environ["POT_CACHE_DIR"] = str(cli.folder / "new")
    for name in (NAME, f"{NAME}@main", "org/tiny"):
        (model,) = cli.json("download", name)
        assert model["revision"] == pinned
    cli.site.log.clear()
    assert cli.json("warm")[0]["status"] == "there"
    assert list(cli.site.log) == []


def test_every_spelling_finds_the_pin(cli: Cli, bert: Repo, lock: Path) -> None:
    spellings = (
        "bert",
        "bert-base-uncased",
        "google-bert/bert-base-uncased",
        "hf:bert-base-uncased",
    )
    pinned = bert.sha
    for spelling in spellings:
        cli.run("lock", spelling, "--update")
        for other in spellings:
            (model,) = cli.json("download", other, "--locked")
            assert model["revision"] == pinned
        lock.unlink()


def test_another_revision_than_the_pin_is_an_error_with_both(
    cli: Cli, other: Repo, lock: Path
) -> None:
    cli.run("lock", "org/other")
    said = cli.fails("download", "org/other@v1", code=2)
    assert "v1" in said
    assert other.sha in said
    assert f"{lock}:" in said
    assert cli.json("download", f"org/other@{other.sha[:10]}")[0]["revision"] == other.sha


def test_warm_without_names_has_what_is_locked(
    cli: Cli, tiny: Repo, other: Repo, bert: Repo, lock: Path
) -> None:
    cli.run("lock", NAME, "old/other")
    cli.environ["POT_CACHE_DIR"] = str(cli.folder / "new")
    done = cli.json("warm", "--locked")
    assert {(each["asked"], each["status"]) for each in done} == {
        (NAME, "fetched"),
        ("old/other", "fetched"),
    }


def test_an_edited_digest_stops_a_load_from_the_cache(cli: Cli, tiny: Repo, lock: Path) -> None:
    cli.run("lock", NAME)
    changed = other_digest(lock)
    for command in (("warm",), ("download", NAME), ("download", NAME, "--offline"), ("verify",)):
        said = cli.fails(*command, code=4)
        assert changed in said
        assert re.search(rf"{re.escape(str(lock))}:\d+ has sha256", said), said
        assert "potmodels lock --update" in said
    # A forced download does not get round it, and what is stored stays.
    assert changed in cli.fails("download", NAME, "--force", code=4)
    edited(lock, changed, models(lock)[0]["files"][0]["sha256"])


def test_an_edited_digest_stops_a_fetch_before_a_byte_moves(
    cli: Cli, tiny: Repo, lock: Path
) -> None:
    cli.run("lock", NAME)
    weights = next(f for f in models(lock)[0]["files"] if f["path"].endswith("safetensors"))
    edited(lock, weights["sha256"], "ab" * 32)
    cli.environ["POT_CACHE_DIR"] = str(cli.folder / "new")
    cli.site.log.clear()
    assert "ab" * 32 in cli.fails("warm", code=4)
    assert cli.site.log.gets("/resolve/") == 0
    assert list((cli.folder / "new" / "models").glob("*")) == []


def test_an_edited_digest_of_a_small_file_stops_the_fetch(cli: Cli, tiny: Repo, lock: Path) -> None:
    cli.run("lock", NAME)
    changed = other_digest(lock)  # config.json: upstream says its git blob id only
    cli.environ["POT_CACHE_DIR"] = str(cli.folder / "new")
    said = cli.fails("warm", code=4)
    assert changed in said
    assert re.search(rf"It is {re.escape(str(lock))}:\d+ that expects this", said)
    assert "potmodels lock --update" in said


def test_files_that_lie_elsewhere_are_held_to_the_lock(cli: Cli, lock: Path) -> None:
    folder = cli.folder / "bert"
    folder.mkdir()
    for path, data in FILES.items():
        (folder / path).write_bytes(data)
    cli.run("lock", "file:bert")
    (model,) = models(lock)
    assert (model["id"], "url" in model["files"][0]) == ("bert", False)
    assert cli.json("warm")[0]["status"] == "in place"
    spoil(folder / "model.safetensors")
    said = cli.fails("warm", code=4)
    assert "model.safetensors" in said
    assert "restore the files" in said  # There is nothing to download.
    (found,) = cli.json("lock", "--check", "file:bert", code=1)
    assert found["status"] == "changed"
    cli.run("lock", "--update", "file:bert")
    cli.run("warm")


def test_nothing_beyond_the_lock_if_it_is_locked(
    cli: Cli, tiny: Repo, other: Repo, lock: Path
) -> None:
    cli.run("lock", NAME)
    cli.site.log.clear()
    said = cli.fails("download", "org/other", "--locked", code=3)
    assert "huggingface:org/other is not in" in said
    assert "potmodels lock org/other" in said
    (failed,) = cli.json("download", "org/other", "--locked", code=3)
    assert failed["reason"] == "not-locked"
    assert list(cli.site.log) == []
    cli.environ["POT_LOCKED"] = "1"
    cli.fails("download", "org/other", code=3)
    cli.run("download", "org/other", "--lock", "none")
    del cli.environ["POT_LOCKED"]
    cli.run("download", "org/other")


def test_a_lock_that_is_named_must_be_there(cli: Cli, tiny: Repo) -> None:
    assert "nowhere.lock" in cli.fails("download", NAME, "--lock", "nowhere.lock", code=2)
    assert "there is no lock file" in cli.fails("download", NAME, "--locked", code=2)


def test_managing_commands_find_other_revisions(cli: Cli, other: Repo, lock: Path) -> None:
    cli.run("download", "org/other@v1")
    cli.run("lock", "org/other")
    assert cli.json("show", "org/other")[0]["revision"] == other.sha
    assert cli.json("show", "org/other@v1")[0]["revision"] != other.sha
    cli.run("remove", "org/other@v1")


def test_own_weights_are_held_to_the_lock(cli: Cli, tiny: Repo, lock: Path) -> None:
    cli.site.add_download("/mine.pth", b"weights of a network" * 100)
    cli.configure(OWN)
    cli.run("lock", "mine")
    cli.site.add_download("/mine.pth", b"weights of another one" * 100)
    cli.environ["POT_CACHE_DIR"] = str(cli.folder / "new")
    cli.fails("warm", code=4)
    cli.run("lock", "--update", "mine")
    cli.run("warm")
    # The architecture with torchvision's own weights is another model.
    (failed,) = cli.json("download", "torchvision:squeezenet1_1", "--locked", code=3)
    assert failed["reason"] == "not-locked"


def test_a_url_is_pinned_by_the_lock(cli: Cli, lock: Path) -> None:
    url = cli.site.add_download("/file.pth", b"weights" * 100)
    cli.fails("download", url, "--locked", code=2)
    cli.run("lock", url)
    (model,) = models(lock)
    assert (model["id"], model["names"], model["files"][0]["url"]) == (url, [url], url)
    cli.environ["POT_CACHE_DIR"] = str(cli.folder / "new")
    assert cli.json("download", url, "--locked")[0]["status"] == "fetched"
    cli.site.add_download("/file.pth", b"other" * 100)
    cli.environ["POT_CACHE_DIR"] = str(cli.folder / "newer")
    cli.fails("warm", code=4)
    cli.environ["POT_CACHE_DIR"] = str(cli.folder / "new")
    wrong = f"{url}#sha256={'0' * 64}"
    assert "asks for another" in cli.fails("lock", wrong, code=4)
    assert "asks for another" in cli.fails("lock", url, wrong, code=4)
    assert cli.json("lock", "--check", url, wrong, code=1)[0]["status"] == "changed"
    beyond = cli.site.add_download("/beyond.pth", b"weights")
    assert "is not in" in cli.fails("download", beyond, "--locked", code=3)


def test_python_is_held_to_the_lock(
    cli: Cli, tiny: Repo, lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in cli.environ.items():
        monkeypatch.setenv(name, value)
    cli.run("lock", NAME)
    pinned = tiny.sha
    tiny.commit({**FILES, "config.json": b"{}"})
    cli.run("clear", "--yes", code=None)
    assert fetch("org/tiny").revision == pinned
    other_digest(lock)
    with pytest.raises(DigestMismatchError) as raised:
        fetch("org/tiny")
    assert raised.value.exit_code == 4


# ---- Tests and runs ---------------------------------------------------------------------------

TESTS = """
import pytest

@pytest.mark.requires_model("org/tiny")
def test_required(): ...

@pytest.mark.pot_model("ours", kind="vision")
def test_named(pot_models): ...

def test_mock(test_vision_model): ...
"""
CONFTEST = """
def pytest_potmodels_configure(settings):
    return {"models": {"ours": {"source": "huggingface", "name": "org/other", "revision": "v1"}}}
"""


@pytest.fixture
def tests(cli: Cli, tiny: Repo, other: Repo) -> Cli:
    (cli.folder / "test_it.py").write_text(TESTS)
    (cli.folder / "conftest.py").write_text(CONFTEST)
    return cli


def test_from_tests_is_what_they_need(tests: Cli, lock: Path) -> None:
    tests.run("lock", "org/other")
    tests.run("lock", "--from-tests", "--", "-k", "required")
    assert [model["id"] for model in models(lock)] == ["org/tiny"]
    tests.run("lock", "--from-tests")
    assert [(model["id"], model.get("ref"), model["names"]) for model in models(lock)] == [
        ("org/other", "v1", ["ours"]),
        ("org/tiny", "main", ["org/tiny"]),
    ]
    # `ours` has its meaning from a conftest.py, which a lock is not made for: its id serves.
    tests.environ["POT_CACHE_DIR"] = str(tests.folder / "new")
    assert {each["status"] for each in tests.json("warm", "--locked")} == {"fetched"}


def test_tests_that_cannot_be_collected_lock_nothing(tests: Cli, lock: Path) -> None:
    (tests.folder / "test_it.py").write_text("import nowhere_to_be_found")
    said = tests.run("lock", "--from-tests", code=2).stderr
    assert "nowhere_to_be_found" in said
    assert "cannot collect the tests" in said
    (tests.folder / "test_it.py").write_text("")
    assert "collects no test" in tests.run("lock", "--from-tests", code=2).stderr
    assert not lock.exists()


def test_tests_that_write_on_stdout_do_not_hide_the_plan(tests: Cli, lock: Path) -> None:
    noisy = 'print("[]")\nimport os\ndef pytest_sessionfinish():\n    os.write(1, b"[bye]\\n")\n'
    with (tests.folder / "conftest.py").open("a") as stream:
        stream.write(noisy)
    (tests.folder / "pytest.ini").write_text("[pytest]\naddopts = -s\n")
    tests.run("lock", "--from-tests")
    assert [model["id"] for model in models(lock)] == ["org/other", "org/tiny"]


def test_check_says_what_tests_and_lock_do_not_agree_about(
    tests: Cli, bert: Repo, lock: Path
) -> None:
    tests.run("lock", "--from-tests")
    tests.site.log.clear()
    assert tests.json("lock", "--check") == []
    tests.run("lock", "bert", "org/other", "--offline", code=3)
    tests.run("lock", "bert")
    tests.site.log.clear()
    (tests.folder / "conftest.py").write_text(CONFTEST.replace("v1", "main"))
    with (tests.folder / "test_it.py").open("a") as stream:
        stream.write("\n@pytest.mark.requires_model('hf:gpt2')\ndef test_more(): ...\n")
    before = lock.read_bytes()
    found = tests.json("lock", "--check", code=1)
    assert [(each["name"], each["status"]) for each in found] == [
        ("ours", "changed"),
        ("hf:gpt2", "missing"),
        ("bert", "unused"),
        ("ours", "unused"),  # What it meant before.
    ]
    assert "v1" in found[0]["why"]
    assert list(tests.site.log) == []
    assert lock.read_bytes() == before
    said = tests.run("lock", "--check", "bert", "gpt2", code=1)
    assert re.search(r"gpt2 +missing", said.stdout)
    assert "1 difference between 2 models" in said.stderr


def test_from_run_is_what_a_run_used(tests: Cli, tiny: Repo, lock: Path, tmp_path: Path) -> None:
    used = tests.json("download", "org/tiny")[0]
    row = {
        "test": "test_it.py::test_required", "attempt": 1, "asked": "org/tiny", "kind": "language",
        "model": "huggingface:org/tiny", "outcome": "real", "revision": used["revision"],
        "digest": used["digest"],
    }  # fmt: skip
    mock = {**row, "asked": "bert", "outcome": "mock"}
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"schema": 1, "rows": [row, mock]}))
    tiny.commit({**FILES, "config.json": b"{}"})
    tests.run("lock", "org/tiny", "--update")
    assert models(lock)[0]["revision"] == tiny.sha
    done = tests.json("lock", "--from-run", str(report))
    assert [each["status"] for each in done] == ["updated"]
    assert models(lock)[0]["revision"] == used["revision"]
    assert models(lock)[0]["ref"] == "main"
    report.write_text(json.dumps({"schema": 1, "rows": [{**row, "digest": "0" * 64}]}))
    assert "the run had files" in tests.fails("lock", "--from-run", str(report), code=4)
    report.write_text(json.dumps({"schema": 1, "rows": [row, mock]}))
    said = tests.run("lock", "--from-run", str(report)).stderr
    assert "warning" in said
    assert "did not have bert" in said
    assert "There is no report" in tests.fails("lock", "--from-run", "none.json", code=2)


@pytest.mark.parametrize(
    "text",
    [
        "{}", "[]", '"x"', "\0", "[" * 30_000, '{"schema": 1, "rows"', '{"schema": 1, "rows": [3]}',
        '{"schema": true, "rows": []}', '{"schema": 2, "rows": []}',
        '{"schema": 1, "rows": [{"outcome": "real", "asked": 3}]}',
        '{"schema": 1, "rows": [{"outcome": "real", "asked": "org/a", "model": "", "digest": "", '
        '"revision": ["x"]}]}',
    ],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_report_locks_nothing(cli: Cli, lock: Path, text: str) -> None:
    (cli.folder / "report.json").write_text(text)
    said = cli.fails("lock", "--from-run", "report.json", code=2)
    assert "report.json is no report of a test session" in said
    assert not lock.exists()
