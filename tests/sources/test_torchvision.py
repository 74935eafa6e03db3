"""`torchvision:NAME[@WEIGHTS]`, and a user's own weights in their place."""

from pathlib import PurePosixPath
from typing import Any, cast

import pytest

from pytest_potmodels.artifacts import ModelRequest, ResolvedModel
from pytest_potmodels.digests import Digest
from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.identifiers import ModelId, parse
from pytest_potmodels.sources import SourceContext, open_source
from pytest_potmodels.transfer import Deadline


def _resolve(identifier: str, weights: str | None = None) -> ResolvedModel:
    model_id = cast(ModelId, parse(identifier))
    request = ModelRequest(id=model_id, asked=identifier, kind="vision", weights=weights)
    # Nothing is asked of the network, so there is none to give.
    source = open_source("torchvision", SourceContext(transfer=cast(Any, None), endpoint=""))
    return source.resolve(model_id, request, Deadline(10))


def test_an_architecture_is_one_file_with_the_hash_of_its_name() -> None:
    resolved = _resolve("torchvision:resnet18")
    (file,) = resolved.files
    assert file.path == PurePosixPath("resnet18-f37072fd.pth")
    assert file.url.endswith("/models/resnet18-f37072fd.pth")
    assert file.digests == (Digest("sha256-prefix", "f37072fd"),)
    assert (resolved.kind, resolved.format) == ("vision", "torchvision")
    assert (resolved.architecture, resolved.revision) == ("resnet18", "IMAGENET1K_V1")


def test_the_size_is_known_for_plans_and_not_for_checks() -> None:
    resolved = _resolve("torchvision:resnet18")
    assert resolved.files[0].size is None  # torchvision rounds it
    assert resolved.size // 1024 == 46_830_571 // 1024


def test_the_revision_is_the_name_of_the_weights() -> None:
    first = _resolve("torchvision:mobilenet_v2@IMAGENET1K_V1")
    default = _resolve("torchvision:mobilenet_v2")
    assert (first.revision, default.revision) == ("IMAGENET1K_V1", "IMAGENET1K_V2")
    assert first.files != default.files


def test_unknown_names_have_close_matches() -> None:
    with pytest.raises(UnknownNameError, match="'resnet18'"):
        _resolve("torchvision:resnet_18")
    with pytest.raises(UnknownNameError, match="resnet18 has IMAGENET1K_V1"):
        _resolve("torchvision:resnet18@IMAGENET1K_V2")


def test_own_weights_replace_the_file_and_the_revision() -> None:
    url = "https://models.example/mine/best.pth"
    resolved = _resolve("torchvision:resnet18", url)
    (file,) = resolved.files
    assert (str(file.path), file.url, file.digests) == ("best.pth", url, ())
    assert resolved.architecture == "resnet18"
    assert resolved.revision is not None
    assert resolved.revision.startswith("weights-")
    assert resolved.revision != _resolve("torchvision:resnet18", f"{url}2").revision
    assert resolved.origin == "https://models.example"


def test_own_weights_of_an_unknown_architecture_are_an_error() -> None:
    with pytest.raises(UnknownNameError):
        _resolve("torchvision:resnet17", "https://models.example/best.pth")


def test_a_mirror_of_torchvisions_own_file_is_that_file() -> None:
    url = "https://mirror.example/models/mobilenet_v2-b0353104.pth"
    resolved = _resolve("torchvision:mobilenet_v2", url)
    assert resolved.revision == "IMAGENET1K_V1"
    assert resolved.files[0].url == url
    assert resolved.files[0].digests == (Digest("sha256-prefix", "b0353104"),)


def test_a_mirrored_file_keeps_the_promise_of_its_url_too() -> None:
    full = "f37072fd" + "0" * 56
    url = f"https://mirror.example/resnet18-f37072fd.pth#sha256={full}"
    digests = _resolve("torchvision:resnet18", url).files[0].digests
    assert digests == (Digest("sha256-prefix", "f37072fd"), Digest("sha256", full))


def test_a_path_is_no_url_and_the_error_says_how_to_write_it() -> None:
    with pytest.raises(UsageError, match='source = "file"'):
        _resolve("torchvision:resnet18", "weights/best.pth")
