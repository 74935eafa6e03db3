"""A file by URL: what makes a model of it, and what is said where nothing does."""

import io
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from machine import Machine
from safetensors.torch import save
from standin import StandIn

from pytest_potmodels.artifacts import ModelRequest
from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.pipeline import Pipeline

NETWORK = "squeezenet1_1"
CLASSES = 5


def saved(content: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def network() -> Any:
    from pytest_potmodels.loading.torchvision_guard import import_torchvision  # noqa: PLC0415

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return import_torchvision().models.get_model(NETWORK, num_classes=CLASSES).eval()


@pytest.fixture
def pipeline(site: StandIn, tmp_path: Path) -> Pipeline:
    return Machine(site, tmp_path / "cache").pipeline()


def asked(pipeline: Pipeline, url: str, **options: Any) -> ModelRequest:
    return pipeline.catalog.request(url, **options)


def refused(pipeline: Pipeline, request: ModelRequest) -> UnavailableError:
    with pytest.raises(UnavailableError) as raised:
        pipeline.obtain(request)
    assert raised.value.reason is Reason.NOT_LOADABLE
    assert pipeline.store.find(request.id) is not None, "it is kept all the same"
    return raised.value


def same(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("name", ["m.pth", "m.pt", "m.bin", "m.safetensors", "download"])
def test_a_state_dict_with_its_network_is_a_model(
    pipeline: Pipeline, site: StandIn, network: Any, name: str
) -> None:
    state = network.state_dict()
    url = site.add_download(f"/{name}", save(state) if "safe" in name else saved(state))
    loaded = pipeline.obtain(asked(pipeline, url, architecture=NETWORK))
    assert same(loaded.model.state_dict(), state)
    assert (loaded.kind, loaded.is_mock, loaded.not_mapped) == ("vision", False, "")
    assert loaded.config["num_classes"] == CLASSES
    assert str(loaded.id) == f"url:{url}"
    assert len(site.log) == 1


def test_a_file_belongs_to_no_network_that_somebody_named_before(
    pipeline: Pipeline, site: StandIn, network: Any
) -> None:
    url = site.add_download("/m.pth", saved(network.state_dict()))
    pipeline.obtain(asked(pipeline, f"{url}#architecture={NETWORK}"))
    error = refused(pipeline, asked(pipeline, url))
    assert "does not say which network" in error.message
    assert f"{url}#architecture=resnet18" in error.remedy
    assert (
        "tensors are not those of"
        in refused(pipeline, asked(pipeline, f"{url}#architecture=squeezenet1_0")).message
    )


class _Trap:
    """What a pickle may do."""

    def __init__(self, target: Path) -> None:
        self._target = target

    def __reduce__(self) -> Any:
        return (os.mkdir, (str(self._target),))


@pytest.mark.parametrize("form", ["zip", "legacy", "bare"])
def test_a_pickle_is_kept_and_never_opened(
    pipeline: Pipeline, site: StandIn, tmp_path: Path, form: str
) -> None:
    target = tmp_path / "executed"
    trap = {"model": _Trap(target)}
    buffer = io.BytesIO()
    if form == "bare":
        pickle.dump(trap, buffer, protocol=2)
    else:
        torch.save(trap, buffer, _use_new_zipfile_serialization=form == "zip")
    url = site.add_download("/m.pt", buffer.getvalue())
    with_network = refused(pipeline, asked(pipeline, url, architecture=NETWORK))
    assert "state_dict" in with_network.remedy or "verify" in with_network.remedy
    assert "save the state dict" in refused(pipeline, asked(pipeline, url)).remedy
    assert not target.exists()


def test_a_whole_pickled_model_says_what_to_save(
    pipeline: Pipeline, site: StandIn, network: Any
) -> None:
    url = site.add_download("/m.pt", saved(network))
    error = refused(pipeline, asked(pipeline, url, architecture=NETWORK))
    assert "holds Python objects beside tensors, and those are never executed" in error.message
    assert "torch.save(model.state_dict(), FILE)" in error.remedy


def test_onnx_is_kept_and_says_where(pipeline: Pipeline, site: StandIn) -> None:
    url = site.add_download("/m.onnx", b"\x08\x07onnx")
    error = refused(pipeline, asked(pipeline, url))
    stored = pipeline.store.find(asked(pipeline, url).id)
    assert stored is not None
    assert stored.format == "onnx"
    assert "it is ONNX, and no torch module" in error.message
    assert f'pot_models.onnx("{url}")' in error.remedy


def test_a_callable_makes_what_it_likes_of_the_folder(
    pipeline: Pipeline, site: StandIn, tmp_path: Path
) -> None:
    url = site.add_download("/words.txt", b"a cat\n")
    stored = pipeline.acquire(asked(pipeline, url))
    made = pipeline.build(
        stored, lambda folder: (folder / "words.txt").read_text(), tmp_path, device="cpu"
    )
    assert made.model == "a cat\n"
