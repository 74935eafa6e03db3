"""torchvision classifiers from `Originals` are those of its builders, bit for bit."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from loading.same import Machine, assert_same, stock
from torch.utils.serialization import config

from pytest_potmodels.artifacts import LoadOptions, StoredModel, state_checksum

Published = Callable[..., StoredModel]

IMAGES = {"images": torch.linspace(-1, 1, 2 * 3 * 64 * 64).reshape(2, 3, 64, 64)}

#: Architecture -> why each process builds it with torchvision's own builder; "" where it does not.
CLASSIFIERS = {
    "resnet18": "",
    "mobilenet_v2": "",
    "squeezenet1_1": "",
    # Its block parameters are computed with tensors, and those have no numbers there.
    "regnet_y_400mf": "NotImplementedError: Cannot copy out of meta tensor; no data!",
}
LARGE = dict.fromkeys(
    (
        "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "inception_v3", "maxvit_t",
        "mnasnet0_5", "mobilenet_v3_small", "shufflenet_v2_x0_5", "swin_t", "swin_v2_t", "vgg11",
        "vit_b_32",
    ),
    "",
)  # fmt: skip
SLOW = {*LARGE, "regnet_y_400mf"}


@pytest.mark.parametrize(
    "architecture",
    [
        pytest.param(name, marks=pytest.mark.slow if name in SLOW else ())
        for name in (*CLASSIFIERS, *LARGE)
    ],
)
def test_a_torchvision_classifier_is_the_stock_builders(
    architecture: str, published: Published, machine: Machine
) -> None:
    stored = published(architecture)
    side = {"inception_v3": 96, "vit_b_32": 224, "maxvit_t": 224}.get(architecture, 64)
    images = torch.linspace(-1, 1, 2 * 3 * side * side).reshape(2, 3, side, side)
    theirs = stock(stored)
    assert_same(machine.load(stored), theirs, {"images": images})
    machine.built.clear()
    second = machine.load(stored)
    assert_same(second, theirs, {"images": images})
    differs = {**CLASSIFIERS, **LARGE}[architecture]
    assert machine.made().facts["differs"] == differs
    assert len(machine.built) == bool(differs)


def test_a_file_of_the_cache_that_is_aligned_is_mapped_as_it_is(
    published: Published, machine: Machine
) -> None:
    stored = published("squeezenet1_1")
    machine.load(stored)
    assert machine.made().facts["own"] == stored.files[0].path
    assert machine.made().files == ()
    assert machine.derived.size() == 0


def test_a_file_of_the_users_is_never_mapped_where_it_lies(
    published: Published, machine: Machine
) -> None:
    ours = published("squeezenet1_1")
    machine.load(ours)
    assert machine.made().files == ()
    # The very same file, but not in the cache.
    stored, originals = replace(ours, in_place=True), machine.originals()
    model = originals.load(stored, LoadOptions(), device="cpu").model
    before = state_checksum(model.state_dict())
    (derived,) = [each for each in machine.derived.all() if each.files]
    assert [file.path for file in derived.files] == ["weights.pt"]
    # What a mapping would see at once, and what ends a process that maps it.
    (stored.path / stored.files[0].path).write_bytes(b"")
    assert state_checksum(model.state_dict()) == before
    assert originals.load(stored, LoadOptions(), device="cpu").checksum == before


@pytest.mark.parametrize("form", ["old", "safetensors", "half", "not aligned"])
def test_a_file_that_cannot_be_mapped_is_aligned_once(
    form: str, published: Published, machine: Machine, store: Any
) -> None:
    stored = published("squeezenet1_1")
    rewritten = _rewritten(stored, form, store)
    theirs = stock(rewritten)
    for _ in range(2):
        assert_same(machine.load(rewritten), theirs, IMAGES)
    assert [file.path for file in machine.made().files] == ["weights.pt"]
    assert len(machine.built) == 1 + 1


def _rewritten(stored: StoredModel, form: str, store: Any) -> StoredModel:
    from safetensors.torch import save_file  # noqa: PLC0415

    path = stored.path / stored.files[0].path
    state = torch.load(path, weights_only=True)
    path.unlink()
    if form == "safetensors":
        save_file(state, path.with_suffix(".safetensors"))
    elif form == "not aligned":
        before, config.save.storage_alignment = config.save.storage_alignment, 8
        torch.save(state, path)
        config.save.storage_alignment = before
    elif form == "half":
        torch.save({name: tensor.half() for name, tensor in state.items()}, path)
    else:
        torch.save(state, path, _use_new_zipfile_serialization=False)
    found: StoredModel = store(
        stored.path,
        id=stored.id,
        kind=stored.kind,
        format=stored.format,
        architecture=stored.architecture,
        revision=stored.revision,
    )
    return found


@pytest.mark.parametrize(
    ("architecture", "change"),
    [
        ("squeezenet1_1", {}),
        ("resnet18", {}),
        pytest.param("resnet18", {"parallel": True}, marks=pytest.mark.slow),
        pytest.param(
            *("googlenet", {"aux_logits": True, "init_weights": False}), marks=pytest.mark.slow
        ),
        pytest.param(
            *("googlenet", {"aux_logits": False, "init_weights": False}), marks=pytest.mark.slow
        ),
    ],
)
def test_a_users_own_state_dict_of_three_classes(
    architecture: str, change: dict[str, bool], models: Any, tmp_path: Path, store: Any,
    machine: Machine,
) -> None:  # fmt: skip
    parallel = change.pop("parallel", False) if (change := dict(change)) else False
    state = models.get_model(architecture, weights=None, num_classes=3, **change).state_dict()
    (tmp_path / "own").mkdir()
    prefix = "module." if parallel else ""
    named = {f"{prefix}{name}": tensor for name, tensor in state.items()}
    torch.save(named, tmp_path / "own" / "trained.pth")
    stored = store(tmp_path / "own", kind="vision", format="torchvision", architecture=architecture)
    theirs = stock(stored)
    assert_same(machine.load(stored), theirs, IMAGES)
    machine.built.clear()
    assert_same(machine.load(stored), theirs, IMAGES)
    assert machine.built == []
    assert machine.made().facts["differs"] == ""
    assert bool(machine.made().facts["own"]) == (not parallel)
