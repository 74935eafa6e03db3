from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from pytest_potmodels.errors import ModelVerificationError
from pytest_potmodels.onnx_export import OnnxInput, OnnxModel
from pytest_potmodels.verification.benchmark import feeding
from pytest_potmodels.verification.benchmark.measuring import percentile


def model(*inputs: OnnxInput, **example: int) -> OnnxModel:
    shapes = (example,) if example else ()
    return cast(OnnxModel, SimpleNamespace(inputs=inputs, shapes=shapes, file=Path()))


def test_text_is_tokens_of_any_vocabulary_none_masked() -> None:
    axes = ("batch", "sequence")
    fed = feeding.arrays(
        model(*(OnnxInput(name, "int64", axes) for name in
                ("input_ids", "attention_mask", "token_type_ids"))),
        batch=2,
    )  # fmt: skip
    assert feeding.shapes(fed) == dict.fromkeys(fed, "2x32")
    assert fed["input_ids"].min() >= 1
    assert fed["input_ids"].max() < 6
    assert fed["attention_mask"].all()
    assert not fed["token_type_ids"].any()


@pytest.mark.parametrize(
    ("axes", "example", "shape"),
    [
        (("batch", 3, 224, 224), {}, (1, 3, 224, 224)),
        (("batch_size", "num_channels", "height", "width"), {}, (1, 3, 224, 224)),
        (("batch", "samples"), {"samples": 16000}, (1, 16000)),
        (("batch", "mystery"), {}, (1, 16)),
        (("batch", 2, "past_sequence_length", 4), {}, (1, 2, 0, 4)),
    ],
    ids=range(5),
)
def test_sizes_are_stated_or_usual(axes: Any, example: dict[str, int], shape: Any) -> None:
    fed = feeding.arrays(model(OnnxInput("x", "float32", axes), **example), batch=1)
    assert fed["x"].shape == shape
    assert fed["x"].dtype == np.float32


def test_a_type_that_cannot_be_fed_is_told() -> None:
    with pytest.raises(ModelVerificationError, match="string"):
        feeding.arrays(model(OnnxInput("x", "string", ("batch",))), batch=1)


def test_what_takes_too_much_memory_is_told_before_it_is_made() -> None:
    image = OnnxInput("x", "float32", ("batch", 3, 224, 224))
    with pytest.raises(ModelVerificationError, match=r"shape .100000000, 3, .*") as caught:
        feeding.arrays(model(image), batch=100_000_000)
    assert "--batch-size" in caught.value.remedy


@pytest.mark.parametrize("count", [1, 2, 3, 10, 30, 97])
def test_percentiles_are_numpys(count: int) -> None:
    times = np.random.default_rng(count).exponential(size=count).tolist()
    for share in (50, 90, 99):
        assert percentile(times, share) == pytest.approx(np.percentile(times, share), rel=1e-12)


def test_percentiles_lie_between_neighbours() -> None:
    times = [float(number) for number in range(101)]
    assert [percentile(times, share) for share in (50, 90, 99)] == [50.0, 90.0, 99.0]
    assert percentile([1.0, 2.0], 50) == 1.5
    assert percentile([7.0], 99) == 7.0
