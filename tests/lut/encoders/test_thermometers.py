"""Thermometer encoders: thresholds by their formulas, and bits strictly above them."""

import logging
import statistics
from statistics import NormalDist

import pytest
import torch

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.encoders import Encoder
from pytest_potmodels.lut.registry import REGISTRY

KINDS = ["thermometer", "gaussian", "distributive"]
FEATURES, BITS, COUNT = 3, 4, 11


def data() -> torch.Tensor:
    source = torch.Generator().manual_seed(0)
    return torch.randn(COUNT, FEATURES, generator=source) * 5 + 2


def made(kind: str, *, feature_wise: bool = True, features: int = FEATURES) -> Encoder:
    encoder: Encoder = REGISTRY.get_encoder(kind)(
        features, num_bits=BITS, feature_wise=feature_wise
    )
    return encoder


def by_formula(kind: str, values: list[float]) -> list[float]:
    shares = [(k + 1) / (BITS + 1) for k in range(BITS)]
    if kind == "thermometer":
        return [min(values) + share * (max(values) - min(values)) for share in shares]
    if kind == "gaussian":
        mean, std = statistics.mean(values), statistics.stdev(values)
        return [mean + std * NormalDist().inv_cdf(share) for share in shares]
    return [sorted(values)[len(values) * (k + 1) // (BITS + 1)] for k in range(BITS)]


@pytest.mark.parametrize("kind", KINDS)
def test_thresholds_are_those_of_the_formula(kind: str) -> None:
    encoder = made(kind)
    encoder.fit(data())
    expected = torch.tensor([by_formula(kind, column.tolist()) for column in data().T])
    assert encoder.thresholds.dtype == torch.float32
    torch.testing.assert_close(encoder.thresholds, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_one_row_serves_all_features_where_they_share(kind: str) -> None:
    encoder = made(kind, feature_wise=False)
    encoder.fit(data())
    expected = torch.tensor([by_formula(kind, data().flatten().tolist())])
    torch.testing.assert_close(encoder.thresholds, expected, rtol=1e-6, atol=1e-6)
    assert encoder.encode(data()).shape == (COUNT, FEATURES * BITS)


@pytest.mark.parametrize("feature_wise", [True, False])
def test_a_bit_is_1_strictly_above_its_threshold_and_a_feature_has_its_bits_together(
    *, feature_wise: bool
) -> None:
    encoder = made("distributive", feature_wise=feature_wise)
    encoder.fit(data())  # Thresholds that are values: many are met exactly.
    rows = encoder.thresholds.expand(FEATURES, BITS).tolist()
    expected = [
        [float(x > threshold) for x, row in zip(sample, rows, strict=True) for threshold in row]
        for sample in data().tolist()
    ]
    bits = encoder.encode(data())
    assert bits.dtype == torch.float32
    assert bits.tolist() == expected
    assert torch.equal(encoder.bits(data()).float().T, bits)


@pytest.mark.parametrize("kind", KINDS)
def test_more_of_a_feature_means_more_ones(kind: str) -> None:
    encoder = made(kind, features=1)
    encoder.fit(data()[:, :1])
    ramp = encoder.encode(torch.linspace(-20, 20, 50)[:, None]).sum(1)
    assert (ramp.diff() >= 0).all()
    assert [int(ramp.min()), int(ramp.max())] == [0, BITS]


def test_without_thresholds_it_says_what_to_do() -> None:
    encoder = made("thermometer")
    assert encoder.thresholds.isnan().all()
    with pytest.raises(LUTError, match=r"not fitted(.|\n)*fit_encoder"):
        encoder.encode(data())


def test_loaded_thresholds_count_as_fitted_and_unfitted_ones_do_not() -> None:
    encoder, other = made("thermometer"), made("thermometer")
    encoder.fit(data())
    assert not other.load_state_dict({"thresholds": encoder.thresholds}).missing_keys
    assert other.fitted
    assert torch.equal(other.encode(data()), encoder.encode(data()))
    other.load_state_dict({"thresholds": torch.full((FEATURES, BITS), torch.nan)})
    assert not other.fitted


@pytest.mark.parametrize("kind", KINDS)
def test_constant_features_are_counted_once_and_encoded_as_zeros(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    encoder, values = made(kind), data()
    values[:, 1] = 7
    with caplog.at_level(logging.WARNING):
        encoder.fit(values)
    assert [record.message[:18] for record in caplog.records] == ["1 of 3 features ar"]
    assert (encoder.thresholds[1] == 7).all()
    assert not encoder.encode(values)[:, BITS : 2 * BITS].any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_single_sample_is_enough(kind: str) -> None:
    encoder = made(kind)
    encoder.fit(data()[:1])
    assert torch.equal(encoder.thresholds, data()[:1].T.expand(FEATURES, BITS))
