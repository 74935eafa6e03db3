import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from standin import FlippedByte, StandIn, Status
from verification.conftest import TOKEN, Filled

from pytest_potmodels.errors import (
    DigestMismatchError,
    ModelConnectionError,
    ModelFileNotFoundError,
    Reason,
    UnknownNameError,
    UsageError,
)
from pytest_potmodels.verification import ModelFileVerifier, Wanted, obtaining
from pytest_potmodels.verification.trouble import Attempt


def answer(path: Path) -> np.ndarray:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = {each.name for each in session.get_inputs()}
    fed = {name: np.ones((2, 3), np.int64) for name in names}
    found: np.ndarray = session.run(None, fed)[0]
    return found


def test_a_model_without_an_onnx_file_is_converted(filled: Filled) -> None:
    found = filled.of("bert-base-uncased")
    assert found.ok
    assert found.was_converted
    assert found.rung == "dynamo"
    assert 0 < found.worst_error < 1e-4
    assert found.versions["torch"]
    assert found.path is not None
    assert answer(found.path).shape == (2, 3, 32)


def test_the_hubs_own_file_is_taken_as_it_is(filled: Filled) -> None:
    found = filled.of("t5-small")
    assert (found.source, found.rung, found.opset) == ("original", "original", 17)
    assert found.path is not None
    assert found.path.name == "model.onnx"
    assert answer(found.path).shape == (2, 3, 32)


def test_the_hubs_file_may_lie_in_the_folder_onnx(filled: Filled) -> None:
    found = filled.of("org/large")
    assert found.source == "original"
    assert found.path is not None
    assert found.path.parts[-2:] == ("onnx", "model.onnx")


def test_weights_in_a_file_of_their_own_come_along(filled: Filled) -> None:
    found = filled.of("org/large")
    assert found.path is not None
    assert found.path.with_name("model.onnx_data").stat().st_size > 8000
    assert found.size > 8000
    assert answer(found.path).any()


def test_a_hubs_file_that_is_no_model_is_refused(filled: Filled) -> None:
    problem = filled.of("org/broken").problem
    assert problem is not None
    assert (problem.kind, problem.exit_code) == ("ModelVerificationError", 1)
    assert "org/broken" in problem.message
    assert "potmodels export" in problem.remedy


def test_a_model_with_nothing_to_convert_is_told_with_what_was_tried(filled: Filled) -> None:
    problem = filled.of("org/empty").problem
    assert problem is not None
    assert (problem.kind, problem.reason) == ("ModelFileNotFoundError", "not-loadable")
    assert "model.onnx and onnx/model.onnx: not among its 1 files" in problem.message
    assert "an export from PyTorch" in problem.message


def test_one_that_failed_did_not_keep_the_others(filled: Filled) -> None:
    assert [each.ok for each in filled.results] == [True, True, True, False, False, False]


def test_what_is_there_costs_no_request(filled: Filled, hub: StandIn) -> None:
    for name in ("bert-base-uncased", "t5-small", "org/large"):
        path, was_converted = ModelFileVerifier().verify_model_for_benchmark(name)
        assert path == filled.of(name).path
        assert was_converted is (name == "bert-base-uncased")
    assert len(hub.log) == 0


def test_the_model_itself_is_left_as_it_was(filled: Filled, hub: StandIn) -> None:
    """The file of a repository is an entry of its own: the model's is PyTorch's, or not there."""
    pipeline = ModelFileVerifier().pipeline
    request = pipeline.catalog.request("t5-small")
    stored = pipeline.store.find(request.id)
    assert stored is None or stored.format == "transformers"
    names = {path.name for path in (filled.cache / "models").iterdir()}
    assert "huggingface_t5-small_model.onnx" in names


def test_a_file_is_of_the_revision_that_is_here(project: Path, hub: StandIn) -> None:
    repo = hub.add_repo("org/moving", {"config.json": b"{}", "model.safetensors": b"old"})
    pipeline = ModelFileVerifier().pipeline
    request = pipeline.catalog.request("org/moving")
    stored = pipeline.acquire(request)
    repo.commit({"config.json": b"{}", "model.onnx": b"of the next revision"})
    wanted = Wanted("org/moving")
    pinned = obtaining._pinned(pipeline, request)
    assert pinned.id.revision == stored.revision
    search = obtaining._Search(pipeline, pinned, wanted, Attempt(wanted))
    assert search.original() is None


def test_what_is_in_a_folder_does_not_stand_for_what_is_not_here(
    project: Path, hub: StandIn
) -> None:
    files = {"config.json": b"{}", "model.onnx": b"a", "onnx/model.onnx": b"b"}
    hub.add_repo("org/twice", files)
    pipeline, wanted = ModelFileVerifier().pipeline, Wanted("org/twice")
    request = pipeline.catalog.request("org/twice")
    pipeline.acquire(pipeline.catalog.request("huggingface:org/twice:onnx/model.onnx"))
    found = obtaining._Search(pipeline, request, wanted, Attempt(wanted)).original()
    assert found is not None
    assert found.id.name == "org/twice:model.onnx"


def test_a_name_may_be_that_of_one_file(verifier: ModelFileVerifier, hub: StandIn) -> None:
    name = "huggingface:org/large:onnx/{}"
    assert verifier.verify_model_exists(name.format("model.onnx"))
    assert not verifier.verify_model_exists(name.format("other.onnx"))
    with pytest.raises(UsageError, match=r"another file than file_path 'other\.onnx'"):
        verifier.verify_model_exists(name.format("model.onnx"), "other.onnx")
    with pytest.raises(
        ModelFileNotFoundError, match=r"no onnx/other\.onnx: .*has no file"
    ) as caught:
        verifier.verify_model_for_benchmark(name.format("other.onnx"))
    assert caught.value.reason == Reason.UNKNOWN_MODEL


@pytest.mark.parametrize("name", ["org/none", "private-repo/model"])
def test_a_repository_that_is_not_shown_has_no_file(verifier: ModelFileVerifier, name: str) -> None:
    with pytest.raises(ModelFileNotFoundError, match="private, or the name is wrong") as caught:
        verifier.verify_model_for_benchmark(name)
    assert caught.value.reason == Reason.PRIVATE
    assert caught.value.exit_code == 3
    assert not verifier.verify_model_exists(name, "model.onnx")


def test_a_gated_model_says_how_to_get_in(verifier: ModelFileVerifier) -> None:
    with pytest.raises(ModelFileNotFoundError, match="GatedRepo") as caught:
        verifier.verify_model_for_benchmark("org/gated")
    assert caught.value.reason == Reason.GATED
    assert "HF_TOKEN" in caught.value.remedy
    assert "the hub's model.onnx" in caught.value.message
    assert caught.value.tried == ("the hub's model.onnx",)
    assert verifier.verify_model_exists("org/gated", "model.onnx")


def test_a_token_opens_a_private_model_and_goes_to_the_hub_only(
    project: Path, hub: StandIn, capfd: pytest.CaptureFixture[str]
) -> None:
    verifier = ModelFileVerifier(huggingface_token=TOKEN)
    request = verifier.pipeline.catalog.request("huggingface:private-repo/model:model.onnx")
    stored = verifier.pipeline.acquire(request)
    assert stored.fresh
    assert stored.format == "onnx"
    assert hub.log.authorizations("hub")
    assert hub.log.authorizations("cdn") == []
    assert TOKEN not in "".join(capfd.readouterr())
    written = [each for each in project.rglob("*") if each.is_file()]
    assert not [each for each in written if TOKEN.encode() in each.read_bytes()]


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "ünïcode"])
def test_a_token_that_can_be_none_is_refused(project: Path, token: str) -> None:
    with pytest.raises(UsageError, match="characters that no token has"):
        ModelFileVerifier(huggingface_token=token)


def test_without_the_network_what_is_here_is_used(
    filled: Filled, offline: Callable[[], None]
) -> None:
    offline()
    verifier = ModelFileVerifier()
    assert verifier.verify(Wanted("t5-small")).path == filled.of("t5-small").path
    assert verifier.verify(Wanted("bert-base-uncased")).was_converted
    assert verifier.get_model_metadata("bert-base-uncased").told_by == "cache"


def test_without_the_network_what_is_not_here_cannot_be_told(
    project: Path, offline: Callable[[], None]
) -> None:
    offline()
    verifier = ModelFileVerifier()
    with pytest.raises(ModelConnectionError, match="HF_HUB_OFFLINE=1"):
        verifier.verify_model_for_benchmark("org/large")
    with pytest.raises(ModelConnectionError):
        verifier.verify_model_exists("org/large", "model.onnx")
    with pytest.raises(ModelConnectionError):
        verifier.get_model_metadata("org/large")


def test_without_the_network_a_model_that_is_here_is_converted(
    project: Path, hub: StandIn, offline: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    pipeline = ModelFileVerifier().pipeline
    pipeline.acquire(pipeline.catalog.request("google/vit-base-patch16-224"))
    offline()
    closed, wanted = ModelFileVerifier().pipeline, Wanted("google/vit-base-patch16-224")
    request = obtaining._pinned(closed, closed.catalog.request(wanted.model_id))
    search = obtaining._Search(closed, request, wanted, Attempt(wanted))
    assert search.original() is None
    assert "whether the hub has model.onnx was not asked" in caplog.text


def test_a_hub_that_fails_is_asked_again_by_the_transfer_alone(
    project: Path, hub: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POT_RETRIES", "2")
    hub.fault(Status(503, retry_after="0"), "/api/models", times=2)
    assert ModelFileVerifier().get_model_metadata("org/large").model_type == "bert"
    hub.log.clear()
    hub.fault(Status(503, retry_after="0"), "/api/models", times=None)
    with pytest.raises(ModelConnectionError) as caught:
        ModelFileVerifier().get_model_metadata("org/large")
    assert caught.value.reason == Reason.SERVER
    assert len(hub.log) == 3


def test_wrong_bytes_are_an_error_of_their_own(verifier: ModelFileVerifier, hub: StandIn) -> None:
    hub.fault(FlippedByte(at=5), "model.onnx", times=None)
    with pytest.raises(DigestMismatchError):
        verifier.verify_model_for_benchmark("org/broken")


def test_a_name_or_path_that_cannot_be_meant_is_refused(verifier: ModelFileVerifier) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean"):
        verifier.verify_model_for_benchmark("resnet81")
    with pytest.raises(UsageError, match="no path of an ONNX file"):
        verifier.verify_model_for_benchmark("org/large", "../model.onnx")
    with pytest.raises(UnknownNameError, match="'bert'"):
        verifier.verify_model_for_benchmark("org/large", "model.onnx", "brt")


def test_the_cache_folder_may_be_named(project: Path) -> None:
    verifier = ModelFileVerifier(cache_dir=project / "elsewhere")
    assert verifier.settings.cache_dir == project / "elsewhere"


def test_a_relative_cache_folder_is_where_it_was_named(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "own.toml").write_text("")
    options = {"lock": "own.lock", "config": Path("own.toml")}
    verifier = ModelFileVerifier(cache_dir="near", options=options)
    without = ModelFileVerifier(options={"lock": "none"})
    monkeypatch.chdir("/")
    assert verifier.job("verify", {}).as_json()["given"] == {
        "cache_dir": str(project / "near"),
        "lock": str(project / "own.lock"),
        "config": str(project / "own.toml"),
    }
    assert without.job("verify", {}).given == {"lock": "none"}


def test_metadata_say_what_a_model_is_and_has(verifier: ModelFileVerifier) -> None:
    known = verifier.get_model_metadata("google/vit-base-patch16-224")
    assert (known.model_type, known.detected_by) == ("bert", "config.json")
    assert known.architectures == ("BertModel",)
    assert known.onnx_files == ("onnx/model.onnx",)
    assert known.files["config.json"]
    assert known.license == "apache-2.0"
    assert known.cached is None
    assert known.as_json()["onnx_files"] == ["onnx/model.onnx"]


def test_metadata_of_a_network_that_is_no_repository(verifier: ModelFileVerifier) -> None:
    known = verifier.get_model_metadata("resnet18")
    assert (known.source, known.model_type, known.detected_by) == (
        "torchvision", "resnet18", "architecture",
    )  # fmt: skip


def test_looking_fetches_nothing(verifier: ModelFileVerifier, hub: StandIn, project: Path) -> None:
    assert verifier.verify_model_exists("org/large")
    assert verifier.verify_model_exists("org/large", "onnx/model.onnx")
    assert not verifier.verify_model_exists("org/large", "other.onnx")
    assert not verifier.verify_model_exists("resnet18")
    verifier.get_model_metadata("org/large")
    assert len(hub.log) == 4
    assert not (project / "cache" / "models").exists()


def test_the_face_itself_is_light() -> None:
    code = (
        "import sys, pytest_potmodels.verification, pytest_potmodels.cli.ensuring\n"
        "heavy = {'torch', 'transformers', 'onnx', 'onnxruntime', 'numpy', 'duckdb', 'distributed',"
        " 'huggingface_hub'}\n"
        "print(sorted(heavy & {*sys.modules}))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "[]\n"
