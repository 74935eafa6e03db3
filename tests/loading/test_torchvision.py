"""torchvision classifiers with torchvision's own weights, as random state dicts of full size."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from pytest_potmodels.artifacts import LoadedModel, LoadOptions, StoredModel, state_checksum
from pytest_potmodels.errors import Reason, UnavailableError, UsageError
from pytest_potmodels.loading import load

Published = Callable[..., StoredModel]


def _load(stored: StoredModel, **options: Any) -> LoadedModel:
    return load(stored, LoadOptions(**options), device="cpu")


@pytest.mark.parametrize(
    "architecture",
    [
        *("resnet18", "mobilenet_v2", "mnasnet0_5"),
        *(pytest.param(name, marks=pytest.mark.slow) for name in ("googlenet", "densenet121")),
    ],
)
def test_a_classifier_is_bit_equal_to_the_stock_builder(
    architecture: str,
    published: Published,
    models: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    stored = published(architecture)
    loaded = _load(stored)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    stock = models.get_model(architecture, weights="DEFAULT").eval()
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(loaded(images), stock(images))
    assert state_checksum(loaded.model.state_dict()) == state_checksum(stock.state_dict())
    assert str(loaded.model) == str(stock)


def test_a_loaded_classifier_has_transforms_and_categories(published: Published) -> None:
    stored = published("resnet18")
    loaded = _load(stored)
    assert loaded.transforms(Image.new("RGB", (300, 200))).shape == (3, 224, 224)
    assert len(loaded.categories) == 1000
    assert loaded.categories[0] == "tench"
    assert loaded.config["num_classes"] == 1000
    assert loaded.config["weights"] == loaded.revision == "IMAGENET1K_V1"
    assert (loaded.source, loaded.digest) == ("cached", stored.digest)
    assert not loaded.model.training


def test_loading_moves_neither_the_random_state_nor_the_weights_enum(
    published: Published, models: Any
) -> None:
    stored = published("mnasnet0_5")
    url = models.MNASNet0_5_Weights.DEFAULT.url
    before = torch.get_rng_state()
    _load(stored)
    assert torch.equal(torch.get_rng_state(), before)
    assert models.MNASNet0_5_Weights.DEFAULT.url == url
    assert "get_state_dict" not in vars(models.MNASNet0_5_Weights.DEFAULT)


def test_a_test_that_ruins_its_model_leaves_the_next_one_and_the_file_alone(
    published: Published, store: Any
) -> None:
    stored = published("mnasnet0_5")
    untouched = state_checksum(_load(stored).model.state_dict())
    ruined = _load(stored).model.train()
    ruined(torch.rand(2, 3, 64, 64)).sum().backward()
    torch.optim.SGD(ruined.parameters(), lr=1.0).step()
    ruined.half()
    assert state_checksum(_load(stored).model.state_dict()) == untouched
    assert store(stored.path).digest == stored.digest


def test_dtype_applies(published: Published) -> None:
    model = _load(published("mnasnet0_5"), dtype="bfloat16").model
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}


def test_a_head_that_no_classifier_has_is_a_usage_error(published: Published) -> None:
    stored = published("mnasnet0_5")
    assert _load(stored, task="image-classification").model is not None
    with pytest.raises(UsageError, match="task='object-detection' does not apply"):
        _load(stored, task="object-detection")
    with pytest.raises(UsageError, match="auto_class='AutoModel' does not apply"):
        _load(stored, auto_class="AutoModel")


def test_a_file_that_does_not_fit_its_architecture_is_not_loadable(
    published: Published, store: Any
) -> None:
    stored = published("squeezenet1_1")
    file = stored.path / stored.files[0].path
    torch.save({"conv1.weight": torch.zeros(3)}, file)
    with pytest.raises(
        UnavailableError, match=r"not those of squeezenet1_1: Missing key.* \.\.\.\."
    ) as caught:
        _load(stored)
    assert caught.value.reason == Reason.NOT_LOADABLE
    assert "potmodels verify torchvision:squeezenet1_1" in caught.value.remedy
