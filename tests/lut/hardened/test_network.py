"""What a hardened network computes, beside its definition in plain Python."""

import copy
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from lut.hardened.circuits import by_definition, circuit, samples

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.hardened import HardenedLayer, HardenedNetwork


@pytest.mark.parametrize("inputs", range(1, 13))
@pytest.mark.parametrize("count", [5, 70])
def test_counts_are_those_of_the_definition_for_luts_of_every_size(inputs: int, count: int) -> None:
    network = circuit(inputs, (14, 10), seed=inputs)
    x = samples(network, count)
    assert network(x).tolist() == [by_definition(network, each) for each in x]


@pytest.mark.parametrize("widths", [(2,), (3, 4), (1, 1, 6), (300, 7, 20, 2), (9, 5, 3, 130)])
@pytest.mark.parametrize("features", [1, 9])
def test_counts_are_those_of_the_definition_for_every_shape(
    widths: tuple[int, ...], features: int
) -> None:
    network = circuit(3, widths, features=features, bits=2)
    x = samples(network, 66)
    assert network(x).tolist() == [by_definition(network, each) for each in x]


@pytest.mark.parametrize("count", [0, 1, 16, 17, 63, 64, 65, 128, 4095, 4096, 4097, 9000])
def test_a_sample_has_the_same_counts_in_a_batch_of_any_size(count: int) -> None:
    network = circuit(6, (40, 30), classes=3)
    x = samples(network, 9000)
    alone = np.concatenate([network(x[at : at + 1]) for at in range(0, 9000, 311)])
    found = network(x[:count])
    assert found.shape == (count, 3)
    assert found.dtype == np.int32
    assert np.array_equal(found[::311], alone[: len(found[::311])])
    assert np.array_equal(found, network(x)[:count])


@pytest.mark.parametrize("group", [1, 2, 3, 4, 7, 100, 255, 300, 1030])
def test_groups_of_any_size_are_counted(group: int) -> None:
    below = HardenedLayer.from_bits(np.zeros((2 * group, 1), int), np.ones((2 * group, 2)))
    mapping = np.repeat([[0], [1]], group, axis=0)
    network = HardenedNetwork(
        np.zeros((2, 1), np.float32),
        (HardenedLayer.from_bits(mapping, np.tile([0, 1], (2 * group, 1))),),
        2,
        1.0,
    )
    x = np.array([[1, -1], [-1, 1], [1, 1], [-1, -1]] * 20, np.float32)
    expected = np.array([[group, 0], [0, group], [group, group], [0, 0]] * 20)
    assert np.array_equal(network(x), expected)
    always = HardenedNetwork(network.thresholds, (below,), 2, 1.0)
    assert (always(x) == group).all()


def test_a_feature_equal_to_its_threshold_is_not_above_it() -> None:
    identity = HardenedLayer.from_bits([[0], [1]], [[0, 1], [0, 1]])
    network = HardenedNetwork(np.array([[1, 2]], np.float32), (identity,), 2, 1.0)
    x = [[1.0], [np.nextafter(np.float32(1), 2)], [2.0], [3.0], [-np.inf], [np.inf]]
    assert network(x).tolist() == [[0, 0], [1, 0], [1, 0], [1, 1], [0, 0], [1, 1]]


def test_the_class_with_the_most_wins_and_the_first_of_equals() -> None:
    network = circuit(2, (30,), classes=5)
    x = samples(network, 200)
    counts = network(x)
    expected = [row.index(max(row)) for row in counts.tolist()]
    assert network.predict(x).tolist() == expected
    assert any(row.count(max(row)) > 1 for row in counts.tolist())


def test_logits_are_counts_over_tau_as_float32_divides() -> None:
    network = circuit(2, (30,), classes=5)
    x = samples(network, 20)
    logits = network.logits(x)
    assert logits.dtype == np.float32
    expected = [[np.float32(c) / np.float32(1.7) for c in row] for row in network(x).tolist()]
    assert logits.tolist() == expected


@pytest.mark.parametrize("count", [1, 100])
def test_other_types_and_shapes_of_the_same_numbers_are_taken(count: int) -> None:
    network = circuit(4, (20,), features=6)
    x = samples(network, count)
    expected = network(x)
    given: list[Any] = [
        x.astype(np.float64), x.astype(np.int64), x.astype(np.int8), x.astype(np.float16),
        x.tolist(), np.asfortranarray(x), np.repeat(x, 2, axis=0)[::2], x.reshape(count, 2, 3),
        x.astype(">f4"),
    ]  # fmt: skip
    for each in given:
        assert np.array_equal(network(each), expected)
    above = x > 3
    assert np.array_equal(network(above), network(above.astype(np.float32)))


def test_what_float32_cannot_hold_is_infinite() -> None:
    network = circuit(4, (20,), features=2)
    huge = np.array([[1e300, -1e300]])
    assert np.array_equal(network(huge), network([[np.inf, -np.inf]]))


def test_samples_are_not_changed() -> None:
    network = circuit(4, (20,))
    for count in (2, 200):
        x = samples(network, count)
        before = x.copy()
        network(x)
        assert np.array_equal(x, before)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (np.zeros(6), r"expected samples \(N, 6\), found shape \(6,\).*\n.*x\[None\]"),
        (np.zeros((2, 5)), r"expected samples \(N, 6\), found shape \(2, 5\)"),
        (np.zeros((2, 3, 3)), r"found shape \(2, 3, 3\)"),
        (1.5, r"found shape \(\)"),
        ([], r"found shape \(0,\)"),
        (np.zeros((2, 6), complex), "complex128, expected numbers"),
        ([["a"] * 6], "expected numbers"),
        (None, "object, expected numbers"),
        ([[1.0] * 6, [1.0] * 5], "list that numpy cannot read"),
        ([[np.nan] * 6], "x has 6 NaN, the first in sample 0"),
    ],
)
def test_what_is_no_batch_of_samples_is_refused(x: Any, said: str) -> None:
    with pytest.raises(LUTError, match=said):
        circuit(2, (4,))(x)


@pytest.mark.parametrize("count", [3, 500])
def test_a_nan_anywhere_is_refused_rather_than_read_as_a_zero(count: int) -> None:
    network = circuit(2, (4,))
    x = samples(network, count)
    x[count - 1, 2] = np.nan
    with pytest.raises(LUTError, match=f"x has 1 NaN, the first in sample {count - 1}"):
        network(x)


def test_no_rows_have_no_counts() -> None:
    network = circuit(2, (4,))
    assert network(np.zeros((0, 6))).shape == network.logits(np.zeros((0, 6))).shape == (0, 2)
    assert network.predict(np.zeros((0, 6))).shape == (0,)


def test_neither_it_nor_a_copy_of_it_can_be_written_to() -> None:
    network = circuit(3, (12, 8))
    x = samples(network, 100)
    expected = network(x)
    for each in (network, copy.copy(network), copy.deepcopy(network)):
        assert np.array_equal(each(x), expected)
        layers = [array for layer in each.layers for array in (layer.mapping, layer.tables)]
        for array in (each.thresholds, *layers):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0


def test_what_it_was_made_of_may_change() -> None:
    given = circuit(3, (12,))
    thresholds, mapping = given.thresholds.copy(), given.layers[0].mapping.copy()
    layer = HardenedLayer(mapping, given.layers[0].tables)
    network = HardenedNetwork(thresholds, (layer,), 2, 1.0)
    x = samples(network, 100)
    expected = network(x)
    thresholds += 3
    mapping[:] = 0
    assert np.array_equal(network(x), expected)


def test_it_says_what_it_is() -> None:
    network = circuit(3, (12, 8))
    said = f"HardenedNetwork('random', 6 features -> 2 classes, LUTs [12, 8], {network.digest[:8]})"
    assert repr(network) == said
    assert repr(network.layers[0]) == "HardenedLayer(12 LUTs of 3 inputs)"
    assert network.lut_count == 20


def good() -> dict[str, Any]:
    network = circuit(2, (4, 6), features=2, bits=2)
    return {"thresholds": network.thresholds, "layers": network.layers, "num_classes": 2,
            "output_tau": 1.0, "name": ""}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"thresholds": np.zeros((2, 2))}, "thresholds is float64"),
        ({"thresholds": np.zeros(4, np.float32)}, r"thresholds is float32 \(4,\)"),
        ({"thresholds": np.zeros((0, 2), np.float32)}, r"\(0, 2\)"),
        ({"thresholds": np.array([[0, np.nan]] * 2, np.float32)}, "2 values that are NaN"),
        (
            {"thresholds": np.zeros((1, 1), np.float32)},
            r"layers\.0\.mapping has index 3; .* 1 bits",
        ),
        ({"layers": ()}, "at least one"),
        ({"layers": ["x"]}, "expected HardenedLayers"),
        ({"layers": None}, "layers is None"),
        ({"num_classes": 1}, "num_classes is 1"),
        ({"num_classes": True}, "num_classes is True"),
        ({"num_classes": 2.0}, "num_classes is 2.0"),
        ({"num_classes": 4}, "6 LUTs are no multiple of 4 classes"),
        ({"output_tau": 0.0}, "output_tau is 0.0"),
        ({"output_tau": float("nan")}, "output_tau is nan"),
        ({"output_tau": 1e-60}, "as float32 too"),
        ({"output_tau": 1e60}, "as float32 too"),
        ({"output_tau": "1"}, "output_tau is '1'"),
        ({"output_tau": True}, "output_tau is True"),
        ({"name": None}, "name is None"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change: dict[str, Any], said: str) -> None:
    HardenedNetwork(**good())
    with pytest.raises(LUTError, match=said):
        HardenedNetwork(**{**good(), **change})


@pytest.mark.parametrize(
    ("mapping", "tables", "said"),
    [
        (np.zeros((2, 2)), np.zeros((2, 1), np.uint8), "mapping is float64"),
        (np.zeros(2, int), np.zeros((2, 1), np.uint8), r"shape \(2,\), expected integers"),
        (np.zeros((0, 2), int), np.zeros((0, 1), np.uint8), r"shape \(0, 2\)"),
        (np.zeros((2, 0), int), np.zeros((2, 1), np.uint8), "LUTs of 0 inputs"),
        (np.zeros((2, 13), int), np.zeros((2, 1024), np.uint8), "LUTs of 13 inputs"),
        (np.array([[0, -1]]), np.zeros((1, 1), np.uint8), "indices -1 to 0"),
        (np.array([[0, 2**40]]), np.zeros((1, 1), np.uint8), "they begin at 0 and are int32"),
        (np.zeros((2, 6), int), np.zeros((2, 4), np.uint8), r"expected uint8 \(2, 8\): 64 bits"),
        (np.zeros((2, 6), int), np.zeros((2, 8), np.int8), "tables is int8"),
        (np.zeros((2, 2), int), np.full((2, 1), 16, np.uint8), "bits beyond the 4"),
        (np.zeros((2, 1), int), np.full((2, 1), 4, np.uint8), "bits beyond the 2"),
    ],
)  # fmt: skip
def test_arrays_that_are_no_layer_are_refused(mapping: Any, tables: Any, said: str) -> None:
    with pytest.raises(LUTError, match=said):
        HardenedLayer(mapping, tables)


def test_bits_of_another_shape_than_the_mapping_says_are_refused() -> None:
    with pytest.raises(LUTError, match=r"shape \(2, 4\), expected \(2, 8\)"):
        HardenedLayer.from_bits(np.zeros((2, 3), int), np.zeros((2, 4)))


def test_a_network_is_loaded_and_run_without_torch(tmp_path: Any) -> None:
    network = circuit(6, (40, 30))
    network.save(tmp_path / "a.hard.safetensors")
    x = samples(network, 100)
    np.save(tmp_path / "x.npy", x)
    program = (
        "import sys, numpy\n"
        "from pytest_potmodels.lut import load_hardened\n"
        f"x = numpy.load({str(tmp_path / 'x.npy')!r})\n"
        f"net = load_hardened({str(tmp_path / 'a.hard.safetensors')!r})\n"
        "print(net(x).tolist(), net(x[:1]).tolist(), net.predict(x[:2]).tolist())\n"
        "heavy = {'torch', 'onnx', 'onnxruntime', 'sklearn', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    expected = network(x)
    said = f"{expected.tolist()} {expected[:1].tolist()} {network.predict(x[:2]).tolist()}"
    assert ran.stdout.strip() == said
