"""Entry points of PyTorch Hub: what is fetched, what is run, and what is refused."""

import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hub_repos import NAME, TRUST, hubconf, tiny_files, weights
from machine import Machine, request, until
from standin import GitRepo, StandIn

from pytest_potmodels.artifacts import ResolvedModel, StoredModel
from pytest_potmodels.errors import (
    DigestMismatchError,
    MissingPackageError,
    PotModelsError,
    Reason,
    UnavailableError,
)
from pytest_potmodels.fallback import obtain
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.lockfile.entries import LockedFile, LockedModel
from pytest_potmodels.lockfile.writing import as_text
from pytest_potmodels.sources.hub_process import HubProcess
from pytest_potmodels.store.unpack import unpack
from pytest_potmodels.transfer import Deadline

Acquire = Callable[..., StoredModel]


@pytest.fixture
def machine(site: StandIn, tmp_path: Path) -> Machine:
    _ = site.github_content
    return Machine(site, tmp_path / "cache", {"trust": [TRUST]})


@pytest.fixture(scope="session")
def published() -> tuple[str, bytes]:
    return weights()


@pytest.fixture
def repo(site: StandIn, published: tuple[str, bytes]) -> GitRepo:
    name, data = published
    site.add_download(f"/models/{name}", data)
    return site.add_git_repo("acme/nets", tiny_files(name))


@pytest.fixture(scope="session")
def brought(published: tuple[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the tiny network."""
    cache = tmp_path_factory.mktemp("brought") / "cache"
    with StandIn() as site:
        site.add_download(f"/models/{published[0]}", published[1])
        site.add_git_repo("acme/nets", tiny_files(published[0]))
        Machine(site, cache, {"trust": [TRUST]}).acquire(NAME)
    return cache


@pytest.fixture
def stored(machine: Machine, repo: GitRepo, brought: Path) -> StoredModel:
    """The tiny network, brought by an earlier run."""
    shutil.copytree(brought, machine.cache)
    found = machine.acquire(NAME)
    assert not found.fresh
    return found


def content(stored: StoredModel, folder: str) -> dict[str, bytes]:
    """The files of a folder of the entry."""
    there = (stored.path / folder).rglob("*")
    return {
        path.relative_to(stored.path / folder).as_posix(): path.read_bytes()
        for path in there
        if path.is_file()
    }


def test_code_and_weights_lie_in_one_entry_with_all_digests(
    machine: Machine, repo: GitRepo, published: tuple[str, bytes]
) -> None:
    stored = machine.acquire(NAME)
    name, data = published
    assert content(stored, "code") == tiny_files(name)
    assert content(stored, "checkpoints") == {name: data}
    on_disk = {path.relative_to(stored.path) for path in stored.path.rglob("*") if path.is_file()}
    assert on_disk == {Path(file.path) for file in stored.files} | {Path("model_info.json")}
    assert machine.store.verify(stored, whole=True) == ()
    urls = {file.path: file.url for file in stored.files}
    assert urls[f"checkpoints/{name}"] == f"https://download.pytorch.org/models/{name}"
    archive = f"https://codeload.github.com/acme/nets/zip/{repo.sha}"
    assert urls["code/nets/tiny.py"] == f"{archive}#nets/tiny.py"
    assert (stored.revision, stored.format, stored.architecture) == (repo.sha, "torch_hub", "tiny")
    assert stored.path.name == "pytorch_hub_acme--nets--tiny"
    assert stored.fresh
    assert machine.site.log.lines() == [
        "github GET 200 /acme/nets.git/info/refs?service=git-upload-pack",
        f"codeload GET 200 /acme/nets/zip/{repo.sha}",
        f"downloads GET 200 /models/{name}",
    ]
    machine.site.log.clear()
    for text in (NAME, f"{NAME}@{repo.sha}", f"{NAME}@HEAD"):
        assert machine.acquire(text) == stored
    assert len(machine.site.log) == 0


def test_a_tag_is_its_commit_and_a_commit_is_not_asked_for(
    machine: Machine, repo: GitRepo, published: tuple[str, bytes]
) -> None:
    first = repo.sha
    repo.tag("v1", first, annotated=True)
    repo.commit({**tiny_files(published[0]), "new.py": b""})
    assert resolve(machine, "pytorch_hub:acme/nets:v1/tiny").revision == first
    assert resolve(machine, NAME).revision == repo.sha
    machine.site.log.clear()
    assert resolve(machine, f"{NAME}@{'0' * 40}").revision == "0" * 40
    assert len(machine.site.log) == 0


def resolve(machine: Machine, name: str) -> ResolvedModel:
    pipeline = machine.pipeline()
    return pipeline.resolve(request(name), Deadline(20))


def test_the_name_of_the_seed_is_resolved(machine: Machine, site: StandIn) -> None:
    repo = site.add_git_repo("pytorch/vision", {"hubconf.py": b""})
    trusting = replace(machine, options={"trust": ["pytorch_hub:pytorch/vision"]})
    resolved = resolve(trusting, "pytorch_hub:pytorch/vision/resnet50")
    (archive,) = resolved.files
    assert archive.url == f"https://codeload.github.com/pytorch/vision/zip/{repo.sha}"
    assert (resolved.architecture, resolved.origin) == (
        "resnet50",
        "https://github.com/pytorch/vision",
    )


@pytest.mark.parametrize(
    "trust", [[], ["pytorch_hub:acme/net"], ["pytorch_hub:other/nets"]], ids=str
)
def test_without_trust_nothing_is_fetched_and_nothing_runs(
    machine: Machine, repo: GitRepo, trust: list[str]
) -> None:
    stranger = replace(machine, options={"trust": trust})
    for again in (False, True):
        with pytest.raises(UnavailableError) as caught:
            stranger.acquire(NAME, again=again)
        assert caught.value.reason is Reason.NOT_TRUSTED
        assert repo.sha in caught.value.message
    assert machine.site.log.select(server="codeload") == []
    with pytest.raises(UnavailableError) as caught:
        obtain(stranger.pipeline(), request(NAME), mock="missing")  # No mock.
    assert caught.value.reason is Reason.NOT_TRUSTED
    assert machine.visible() == []


def test_trust_that_is_withdrawn_keeps_a_stored_model_from_running(
    machine: Machine, repo: GitRepo, stored: StoredModel
) -> None:
    stranger = replace(machine, options={})
    assert stranger.acquire(NAME) == stored
    with pytest.raises(UnavailableError) as caught:
        stranger.pipeline().load(stored, request(NAME, kind="vision"), device="cpu")
    assert caught.value.reason is Reason.NOT_TRUSTED
    assert machine.pipeline().load(stored, request(NAME, kind="vision"), device="cpu").path


def test_a_damaged_code_file_is_brought_anew_with_its_archive(
    machine: Machine, repo: GitRepo, stored: StoredModel
) -> None:
    repo.commit(hubconf("raise RuntimeError"))  # The branch moves, the pin does not.
    spoil(stored.path / "code" / "nets" / "tiny.py")
    mended = machine.acquire(NAME)
    assert mended == stored
    assert machine.store.verify(mended, whole=True) == ()
    assert machine.site.log.gets("/acme/nets/zip/") == 1


def test_a_damaged_code_file_is_not_replaced_by_other_code(
    machine: Machine, repo: GitRepo, stored: StoredModel, published: tuple[str, bytes]
) -> None:
    spoil(stored.path / "code" / "nets" / "tiny.py")
    other = GitRepo("acme/nets")
    sha = other.commit({**tiny_files(published[0]), "nets/__init__.py": b"# evil"})
    evil = (other.archive(sha) or b"").replace(sha.encode(), repo.sha.encode())
    repo.archives[repo.sha] = evil
    with pytest.raises(DigestMismatchError, match=r"code/nets/__init__\.py"):
        machine.acquire(NAME)


def test_a_damaged_code_file_is_no_reason_for_a_mock_where_trust_is_gone(
    machine: Machine, repo: GitRepo, stored: StoredModel
) -> None:
    spoil(stored.path / "code" / "hubconf.py")
    with pytest.raises(DigestMismatchError, match="stored code is not run"):
        replace(machine, options={}).acquire(NAME)


def test_damaged_weights_are_fetched_alone_and_nothing_runs(
    machine: Machine, stored: StoredModel, published: tuple[str, bytes]
) -> None:
    spoil(stored.path / "checkpoints" / published[0])
    assert replace(machine, options={}).acquire(NAME) == stored
    assert machine.site.log.lines() == [f"downloads GET 200 /models/{published[0]}"]


def test_an_archive_of_another_commit_is_refused(
    machine: Machine, repo: GitRepo, published: tuple[str, bytes]
) -> None:
    first = repo.sha
    second = repo.commit({**tiny_files(published[0]), "more.py": b""})
    repo.archives[second] = repo.archive(first) or b""
    with pytest.raises(DigestMismatchError, match=f"another commit: expected {second}"):
        machine.acquire(NAME)


def test_a_hostile_archive_is_refused_and_nothing_of_it_runs(
    machine: Machine, site: StandIn, tmp_path: Path
) -> None:
    mark = tmp_path / "it ran"
    files = hubconf(f"open({str(mark)!r}, 'w')")
    site.add_git_repo("acme/nets", {**files, "../../../evil.py": b"", "x": b""})
    with pytest.raises(UnavailableError, match="climbs out of its folder") as caught:
        machine.acquire(NAME)
    assert caught.value.reason is Reason.NOT_LOADABLE
    assert not mark.exists()
    assert not list(tmp_path.rglob("evil.py"))


def test_a_repository_without_hubconf_publishes_no_models(machine: Machine, site: StandIn) -> None:
    site.add_git_repo("acme/nets", {"README.md": b""})
    with pytest.raises(UnavailableError, match=r"has no hubconf\.py") as caught:
        machine.acquire(NAME)
    assert caught.value.reason is Reason.UNKNOWN_MODEL


@pytest.mark.slow
def test_missing_packages_come_with_their_pip_line(machine: Machine, site: StandIn) -> None:
    code = b"dependencies = ['torch', 'no_such_package']\nimport no_such_package\n"
    site.add_git_repo("acme/nets", {"hubconf.py": code})
    with pytest.raises(MissingPackageError, match="needs no_such_package") as caught:
        machine.acquire(NAME)
    assert caught.value.remedy == "pip install no_such_package"


def failing(machine: Machine, body: str, **options: Any) -> PotModelsError:
    machine.site.add_git_repo("acme/nets", hubconf(body))
    with pytest.raises(PotModelsError) as caught:
        machine.acquire(NAME, **options)
    assert machine.visible() == []
    return caught.value


def test_code_that_fails_shows_its_last_words_and_where(machine: Machine) -> None:
    said = failing(machine, "import os\nos.write(1, b'so far\\n')\nraise KeyError('what for')")
    assert "KeyError: 'what for' (hubconf.py:6)" in said.message
    assert said.message.endswith(" Its last words: so far")


@pytest.mark.slow
def test_code_that_ends_its_process_is_said_so(machine: Machine) -> None:
    said = failing(machine, "import os\nprint('bye', flush=True)\nos._exit(7)")
    assert "it ended with exit code 7 and without a word. Its last words: bye" in said.message


def test_code_without_end_is_ended(machine: Machine, tmp_path: Path) -> None:
    stage = tmp_path / "stage"
    (stage / "code").mkdir(parents=True)
    (stage / "code" / "hubconf.py").write_bytes(hubconf("while True: pass")["hubconf.py"])
    resolved = ResolvedModel(
        ModelId("pytorch_hub", "a/b/tiny"), "vision", "torch_hub", architecture="tiny"
    )
    process = HubProcess(resolved, stage, machine.pipeline().transfer, Deadline(2))
    with pytest.raises(UnavailableError, match="its code is running: the 2 s allowed") as caught:
        process.run(beside=0)
    assert caught.value.reason is Reason.TIMEOUT


def test_code_that_connects_by_itself_is_refused(machine: Machine) -> None:
    url = machine.site.add_download("/x.pth", b"x")
    said = failing(machine, f"import urllib.request\nurllib.request.urlopen({url!r})")
    assert "connects to 127.0.0.1 by itself" in said.message
    assert machine.site.log.select("/x.pth") == []


def test_code_that_changes_itself_is_refused(machine: Machine) -> None:
    said = failing(
        machine,
        "from pathlib import Path\nPath(__file__).write_text('')\nreturn torch.nn.Linear(1, 1)",
    )
    assert isinstance(said, DigestMismatchError)
    assert "changed code/hubconf.py of the model" in said.message


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege")
def test_code_that_changes_what_it_fetched_is_refused(
    machine: Machine, site: StandIn, published: tuple[str, bytes], tmp_path: Path
) -> None:
    name, data = published
    (tmp_path / "same").write_bytes(data)
    url = site.add_download(f"/models/{name}", data)
    body = f"""
import os
place = os.path.join(torch.hub.get_dir(), "checkpoints", {name!r})
os.makedirs(os.path.dirname(place))
torch.hub.download_url_to_file({url!r}, place)
os.unlink(place)
os.symlink({str(tmp_path / "same")!r}, place)
return torch.nn.Linear(1, 1)
"""
    said = failing(machine, body)
    assert isinstance(said, DigestMismatchError)
    assert f"changed checkpoints/{name} of the model" in said.message


@pytest.mark.slow
def test_code_that_answers_for_our_part_of_it_is_refused(machine: Machine) -> None:
    body = """
import os, time
message = b'{"fetch": {"url": "https://a.example/x", "path": "model_info.json", "prefix": ""}}\\n'
for number in range(3, 20):
    try:
        os.write(number, message)
    except OSError:
        pass
time.sleep(60)
"""
    said = failing(machine, body)
    assert "keeps a file at 'model_info.json', which is no place for weights" in said.message


@pytest.mark.slow
def test_output_without_end_fills_neither_memory_nor_disk(machine: Machine) -> None:
    before = shutil.disk_usage(tempfile.gettempdir()).used
    said = failing(machine, "import os\nwhile True: os.write(1, b'x' * 1_000_000)", timeout=5.0)
    assert isinstance(said, UnavailableError)
    assert said.reason is Reason.TIMEOUT
    assert shutil.disk_usage(tempfile.gettempdir()).used - before < 500_000_000


def test_the_code_sees_no_token_and_a_folder_of_its_own(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HF_TOKEN", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "POT_REMOTE"):
        monkeypatch.setenv(name, "secret")
    seen = tmp_path / "seen.json"
    body = f"""
import json, os, sys
facts = [sorted(n for n in os.environ if os.environ[n] == 'secret'), os.getcwd(), sys.stdin.read()]
facts += [os.environ['TORCH_HOME'], torch.hub.get_dir(), 'pytest' in sys.modules]
json.dump(facts, open({str(seen)!r}, 'w'))
return torch.nn.Linear(1, 1)
"""
    machine.site.add_git_repo("acme/nets", hubconf(body))
    stored = machine.acquire(NAME)
    tokens, cwd, stdin, home, hub, has_pytest = json.loads(seen.read_text())
    assert (tokens, stdin, has_pytest) == ([], "", False)
    assert home == hub
    assert Path(home).is_relative_to(machine.cache.resolve())
    assert not Path(cwd).exists()
    assert {file.path for file in stored.files} == {"code/hubconf.py"}


@pytest.mark.skipif(os.name == "nt", reason="kill -9")
def test_the_code_ends_when_whoever_started_it_is_killed(machine: Machine, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    # It never lets go of the interpreter, so that no thread of ours could end it.
    endless = "re.match('(a+)+$', 'a' * 60 + 'b')" if sys.platform == "linux" else "time.sleep(60)"
    body = f"import os, re, time\nopen({str(mark)!r}, 'w').write(str(os.getpid()))\n{endless}"
    machine.site.add_git_repo("acme/nets", hubconf(body))
    with machine.start(NAME) as parent:
        until(lambda: mark.exists() and mark.read_text(), parent)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    child = int(mark.read_text())
    end = time.monotonic() + 20
    while _lives(child):
        assert time.monotonic() < end
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and ") Z " in status.read_text())


def test_wrong_weights_are_refused_and_what_came_before_them_does_not_come_again(
    machine: Machine, repo: GitRepo, site: StandIn, published: tuple[str, bytes]
) -> None:
    site.add_download(f"/models/{published[0]}", b"wrong")
    with pytest.raises(DigestMismatchError, match=r"tiny-.*expected sha256-prefix:"):
        machine.acquire(NAME)
    assert machine.visible() == []
    assert list((machine.cache / ".pot" / "partial").rglob("archive.zip"))
    site.add_download(f"/models/{published[0]}", published[1])
    site.log.clear()
    stored = machine.acquire(NAME)
    assert site.log.select(server="codeload") == []
    assert machine.store.verify(stored, whole=True) == ()


def test_an_archive_is_unpacked_as_git_makes_it(tmp_path: Path) -> None:
    repo = GitRepo("acme/nets")
    sha = repo.commit({"hubconf.py": b"x"})
    (tmp_path / "a.zip").write_bytes(repo.archive(sha) or b"")
    assert unpack(tmp_path / "a.zip", tmp_path / "out").comment == sha


def spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[0] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(data)


@pytest.mark.parametrize(("edited", "downloads"), [("code/hubconf.py", 0), ("checkpoints/", 1)])
def test_what_is_not_what_was_locked_is_not_run_and_not_kept(
    stored: StoredModel, machine: Machine, tmp_path: Path, edited: str, downloads: int
) -> None:
    files = tuple(
        LockedFile(file.path, file.size, "0" * 64 if file.path.startswith(edited) else file.sha256)
        for file in stored.files
    )
    lock = tmp_path / "potmodels.lock"
    model = LockedModel("pytorch_hub", stored.id.name, ref="HEAD", revision=stored.revision)
    model = replace(model, files=files)
    lock.write_text(as_text([model]), encoding="utf-8")
    elsewhere = replace(machine, cache=tmp_path / "elsewhere")
    machine.site.log.clear()
    pipeline = elsewhere.pipeline()
    pipeline.settings = replace(pipeline.settings, lock=lock)
    with pytest.raises(DigestMismatchError, match=r"potmodels\.lock"):
        pipeline.acquire(request(NAME))
    assert elsewhere.store.entries() == []
    assert machine.site.log.gets("/models/") == downloads
