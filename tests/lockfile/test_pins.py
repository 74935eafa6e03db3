"""What a lock says of requests, of a source's answer, and of bytes."""

import logging
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from pytest_potmodels.artifacts import (
    ModelRequest,
    RemoteFile,
    ResolvedModel,
    StoredFile,
    StoredModel,
)
from pytest_potmodels.digests import Digest
from pytest_potmodels.errors import DigestMismatchError, NotLockedError, UsageError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.lockfile.entries import Lock, LockedFile, LockedModel, locked
from pytest_potmodels.lockfile.pins import Pins, open_pins

ONE, TWO = "1" * 40, "2" * 40
A, B = "a" * 64, "b" * 64
MODEL = LockedModel(
    source="huggingface",
    id="org/model",
    names=("mine",),
    aliases=("model",),
    ref="main",
    revision=ONE,
    files=(LockedFile("config.json", 2, A), LockedFile("model.bin", 3, B)),
)
TAGGED = replace(MODEL, names=("old",), ref="v1", revision=TWO)
HEAD = replace(MODEL, id="org/pinned", names=(), aliases=(), ref=TWO, revision=TWO)
NETWORK = LockedModel(
    source="torchvision",
    id="resnet18",
    ref="DEFAULT",
    revision="IMAGENET1K_V1",
    files=(LockedFile("resnet18.pth", 3, A),),
)
OWN = replace(NETWORK, ref="weights-1234", revision="weights-1234", weights="https://host/w.pth")
PINS = Pins(Lock(Path("potmodels.lock"), (MODEL, HEAD, NETWORK, OWN)))
BOTH = Pins(Lock(Path("potmodels.lock"), (MODEL, TAGGED)))


def request(
    name: str, revision: str | None = None, source: str = "huggingface", weights: str | None = None
) -> ModelRequest:
    return ModelRequest(ModelId(source, name, revision), name, "language", weights=weights)


@pytest.mark.parametrize(
    ("pins", "asked", "revision"),
    [
        (PINS, request("org/model"), ONE),
        (PINS, request("model"), ONE),
        (PINS, request("org/model", "main"), ONE),
        (PINS, request("org/model", ONE), ONE),
        (PINS, request("org/model", ONE[:8]), ONE),
        (PINS, request("org/pinned"), TWO),
        (BOTH, request("org/model"), ONE),
        (BOTH, request("org/model", "v1"), TWO),
        (PINS, request("resnet18", None, "torchvision"), "IMAGENET1K_V1"),
        (PINS, request("resnet18", "DEFAULT", "torchvision"), "IMAGENET1K_V1"),
        (PINS, request("resnet18", "weights-1234", "torchvision", "https://x"), "weights-1234"),
    ],
)
def test_a_request_is_bound_to_its_pin(pins: Pins, asked: ModelRequest, revision: str) -> None:
    bound = replace(pins, only=True).bound(asked)
    assert bound.id == replace(asked.id, revision=revision)
    assert bound.asked == asked.asked
    assert pins.bound(bound) == bound
    assert pins.named(asked) == bound


@pytest.mark.parametrize(
    ("pins", "asked"),
    [
        (PINS, request("org/model", "v2")),
        (PINS, request("org/model", TWO)),
        (PINS, request("org/pinned", "main")),
        (Pins(Lock(Path("potmodels.lock"), (TAGGED, replace(TAGGED, ref="v2")))), request("model")),
        (PINS, request("resnet18", "IMAGENET1K_V2", "torchvision")),
    ],
)
def test_another_revision_is_an_error_with_both(pins: Pins, asked: ModelRequest) -> None:
    for only in (False, True):
        with pytest.raises(UsageError, match=r"the lock pins .* to .*potmodels\.lock"):
            replace(pins, only=only).bound(asked)
    assert pins.named(asked) == asked


@pytest.mark.parametrize(
    "asked",
    [
        request("org/other"),
        request("org/model", None, "file"),
        request("resnet18", "weights-5678", "torchvision", "https://other"),
    ],
)
def test_beyond_the_lock_is_refused_or_said(
    asked: ModelRequest, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert PINS.bound(asked) == asked
    assert "is not in potmodels.lock" in caplog.text
    with pytest.raises(NotLockedError, match=r"is not in potmodels\.lock") as raised:
        replace(PINS, only=True).bound(asked)
    assert not raised.value.substitutable


def test_own_weights_do_not_answer_for_the_architecture() -> None:
    pins = Pins(Lock(Path("potmodels.lock"), (OWN,)), only=True)
    with pytest.raises(NotLockedError):
        pins.bound(request("resnet18", None, "torchvision"))


def test_a_mock_needs_no_lock() -> None:
    asked = request("vision", None, "mock")
    assert Pins(Lock(Path("potmodels.lock")), only=True).bound(asked) == asked


def test_without_a_lock_everything_is_as_it_was() -> None:
    asked = request("org/model", "v2")
    pins = open_pins(None, only=False)
    assert pins.bound(asked) == pins.named(asked) == asked
    assert pins.narrowed(asked, ANSWER) == ANSWER
    assert pins.checked(asked, STORED) == STORED
    with pytest.raises(UsageError, match="there is no lock file"):
        open_pins(None, only=True)


ANSWER = ResolvedModel(
    id=ModelId("huggingface", "org/model", ONE),
    kind="language",
    format="transformers",
    files=(
        RemoteFile(PurePosixPath("config.json"), "https://h/c", 2, (Digest("git-sha1", "f" * 40),)),
        RemoteFile(PurePosixPath("model.bin"), "https://h/m", None, (Digest("sha256", B),)),
    ),
    revision=ONE,
)


def test_an_answer_gets_the_digests_of_the_lock() -> None:
    config, weights = PINS.narrowed(request("org/model"), ANSWER).files
    assert config.digests == (Digest("git-sha1", "f" * 40), Digest("sha256", A))
    assert (weights.digests, weights.size) == ((Digest("sha256", B),), 3)


def test_a_file_that_is_unpacked_is_not_one_of_the_locked_files() -> None:
    entry = replace(MODEL, source="pytorch_hub")
    archive = RemoteFile(PurePosixPath("archive.zip"), "https://h/a")
    answer = replace(ANSWER, id=ModelId("pytorch_hub", "org/model"), files=(archive,))
    pins = Pins(Lock(Path("potmodels.lock"), (entry,)))
    assert pins.narrowed(request("org/model", None, "pytorch_hub"), answer) == answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (replace(ANSWER, revision=TWO), f"revision {ONE}, found {TWO}"),
        (
            replace(ANSWER, files=ANSWER.files[:1]),
            "files config.json, model.bin, found config.json",
        ),
        (
            replace(ANSWER, files=(ANSWER.files[0], replace(ANSWER.files[1], size=4))),
            "model.bin: .* has 3 bytes, found 4 bytes upstream",
        ),
        (
            replace(
                ANSWER,
                files=(
                    ANSWER.files[0],
                    replace(ANSWER.files[1], digests=(Digest("sha256-prefix", "aaaa"),)),
                ),
            ),
            f"has sha256 {B}, found sha256-prefix aaaa upstream",
        ),
    ],
)
def test_another_answer_is_refused_before_a_byte_moves(answer: ResolvedModel, said: str) -> None:
    with pytest.raises(DigestMismatchError, match=said) as raised:
        PINS.narrowed(request("org/model"), answer)
    assert "potmodels lock --update mine" in raised.value.remedy


STORED = StoredModel(
    id=ModelId("huggingface", "model"),
    path=Path("cache"),
    kind="language",
    format="transformers",
    files=(StoredFile("config.json", 2, A), StoredFile("model.bin", 3, B)),
    revision=ONE,
    aliases=("org/model",),
    origin="https://hub/org/model",
)


def test_the_same_bytes_pass_whatever_the_model_is_called() -> None:
    assert PINS.checked(request("model"), STORED) == STORED
    assert PINS.entry_of(STORED) == MODEL
    assert PINS.entry_of(replace(STORED, revision=TWO)) is None


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (replace(STORED, revision=TWO), f"revision {ONE}, found {TWO}"),
        (replace(STORED, files=STORED.files[:1]), "has the files config.json, model.bin, found"),
        (
            replace(STORED, files=(*STORED.files, StoredFile("more.bin", 1, A))),
            "found config.json, model.bin, more.bin",
        ),
        (
            replace(STORED, files=(StoredFile("config.json", 2, B), STORED.files[1])),
            f"config.json: .* has sha256 {A}, found sha256 {B} of cache.config.json",
        ),
    ],
)
def test_other_bytes_are_refused(stored: StoredModel, said: str) -> None:
    with pytest.raises(DigestMismatchError, match=said):
        PINS.checked(request("org/model"), stored)


def test_the_version_of_a_package_is_no_revision() -> None:
    entry = replace(MODEL, source="package", revision="1.0", ref=None)
    pins = Pins(Lock(Path("potmodels.lock"), (entry,)))
    stored = replace(STORED, id=ModelId("package", "model"), revision="1.1", in_place=True)
    assert pins.checked(request("model", None, "package"), stored) == stored


def test_an_entry_is_called_what_its_origin_calls_it() -> None:
    historic = {"model": "org/model", "older": "org/model", "x": "y"}
    for first, other in (("model", "org/model"), ("org/model", "model")):
        stored = replace(STORED, id=ModelId("huggingface", first), aliases=(other, "seen/before"))
        for asked in ("model", "org/model"):
            entry = locked(stored, request(asked), (asked,), historic)
            assert (entry.id, entry.aliases) == ("org/model", ("model", "older"))


def test_files_that_lie_elsewhere_have_no_address() -> None:
    files = (StoredFile("config.json", 2, A, "file:///home/me/config.json"),)
    stored = replace(STORED, id=ModelId("file", "bert"), files=files, in_place=True)
    entry = locked(stored, request("bert", None, "file"), ("file:bert",), {})
    assert [file.url for file in entry.files] == [""]


def test_a_lock_holds_no_secret() -> None:
    weights = "https://user:password@host/w.pth?token=abc&version=2"
    asked = request("resnet18", "weights-1", "torchvision", weights)
    stored = replace(STORED, id=ModelId("torchvision", "resnet18"))
    assert locked(stored, asked, ("mine",), {}).weights == "https://host/w.pth?version=2"
