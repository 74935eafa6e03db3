"""Hardened networks as files: written whole and always the same, read with every part in doubt."""

import hashlib
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from lut.hardened.circuits import circuit, samples

from pytest_potmodels.errors import LUTDigestError, LUTError, LUTNameError, LUTWeightsError
from pytest_potmodels.lut import load_hardened
from pytest_potmodels.lut.hardened import HardenedNetwork, reading

KEY = "potmodels.lut.hardened"
Change = Callable[[dict[str, Any], dict[str, Any]], None]


@pytest.fixture
def network() -> HardenedNetwork:
    return circuit(6, (40, 30))


@pytest.fixture
def file(network: HardenedNetwork, tmp_path: Path) -> Path:
    path = tmp_path / "some.hard.safetensors"
    network.save(path)
    return path


@pytest.mark.parametrize("inputs", [1, 2, 3, 6, 9, 12])
def test_what_is_read_is_what_was_written(inputs: int, tmp_path: Path) -> None:
    network = circuit(inputs, (300, 20), features=100)
    path = tmp_path / "a.hard.safetensors"
    network.save(path)
    found = load_hardened(path)
    x = samples(network, 80)
    assert np.array_equal(found(x), network(x))
    assert np.array_equal(found.logits(x), network.logits(x))
    assert (found.name, found.digest) == (network.name, network.digest)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == network.digest


def test_the_same_network_is_the_same_bytes(network: HardenedNetwork, tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.hard.safetensors" for number in range(5)]
    for path in paths:
        circuit(6, (40, 30)).save(path)
    assert len({path.read_bytes() for path in paths}) == 1
    assert circuit(6, (40, 30), seed=1).digest != network.digest


def test_a_network_for_small_images_takes_less_than_12_kb(tmp_path: Path) -> None:
    path = tmp_path / "a.hard.safetensors"
    circuit(6, (500,), features=64, bits=4, classes=10).save(path)
    assert path.stat().st_size <= 12_000


def test_it_is_never_written_over_another_file_unasked(
    network: HardenedNetwork, file: Path
) -> None:
    before = file.read_bytes()
    other = circuit(6, (40, 30), seed=1)
    with pytest.raises(LUTError, match="is there already"):
        other.save(file)
    assert file.read_bytes() == before
    other.save(file, overwrite=True)
    assert load_hardened(file).digest == other.digest
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_folders_on_the_way_are_made_and_text_is_a_path(
    network: HardenedNetwork, tmp_path: Path
) -> None:
    path = tmp_path / "a" / "b" / "c.hard.safetensors"
    network.save(str(path))
    assert load_hardened(str(path)).digest == network.digest


def changed(file: Path, change: Change) -> Path:
    """The file with other tensors, or another text in its metadata."""
    header = json.loads(file.read_bytes()[8:].split(b"}}")[0] + b"}}")
    said = json.loads(header["__metadata__"][KEY])
    tensors = safetensors.numpy.load_file(file)
    change(tensors, said)
    metadata = said.pop("metadata", {KEY: said.pop("text", None) or json.dumps(said)})
    file.write_bytes(safetensors.numpy.save(tensors, metadata))
    return file


def put(tensor: str, array: Any) -> Change:
    def change(tensors: dict[str, Any], _: dict[str, Any]) -> None:
        tensors[tensor] = array

    return change


def spoil(tensor: str, at: Any, value: Any) -> Change:
    def change(tensors: dict[str, Any], _: dict[str, Any]) -> None:
        tensors[tensor][at] = value

    return change


def drop(tensor: str) -> Change:
    def change(tensors: dict[str, Any], _: dict[str, Any]) -> None:
        del tensors[tensor]

    return change


def say(**values: Any) -> Change:
    def change(_: dict[str, Any], said: dict[str, Any]) -> None:
        said.update(values)

    return change


def forget(key: str) -> Change:
    def change(_: dict[str, Any], said: dict[str, Any]) -> None:
        del said[key]

    return change


def many(shape: tuple[int, ...], dtype: str = "uint8", value: int = 0) -> Any:
    return np.full(shape, value, dtype)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("layers.2.mapping", many((1,))), "2 layers take 5 tensors, and there are 6"),
        (drop("layers.0.tables"), "2 layers take 5 tensors, and there are 4"),
        (say(layers=10**12), "1000000000000 layers take"),
        (say(layers=-1), "-1 layers take"),
        (say(layers=2.0), "says layers 2.0, expected int"),
        (say(format=2), "the format is 2, this version reads 1"),
        (say(format=True), "the format is True"),
        (say(format="1"), "the format is '1'"),
        (forget("format"), "the format is None"),
        (forget("name"), "expected .*'name'"),
        (say(more=1), "metadata has .*'more'"),
        (say(name=5), "says name 5, expected str"),
        (say(num_classes="2"), "says num_classes '2', expected int"),
        (say(num_classes=True), "says num_classes True"),
        (say(num_classes=-2), "num_classes is -2"),
        (say(num_classes=7), "30 LUTs are no multiple of 7"),
        (say(output_tau=float("nan")), "output_tau is nan"),
        (say(output_tau=float("inf")), "output_tau is inf"),
        (say(output_tau=-1.0), "output_tau is -1"),
        (say(output_tau=None), "says output_tau None"),
        (say(text="{"), "the metadata is no JSON"),
        (say(text="[" * 100_000), "metadata is no JSON: maximum"),
        (say(text="9" * 5000), "metadata is no JSON: Exceeds"),
        (say(text="[]"), "the metadata is a list"),
        (say(metadata={}), r"metadata has \[\], expected 'potmodels.lut.hardened'"),
        (say(metadata={"x": "y"}), "this is no hardened network"),
        (say(metadata={KEY: "{}", "x": "y"}), r"has \['potmodels.lut.hardened', 'x'\]"),
        (put("thresholds", many((6, 3), "float64")), "thresholds is F64, expected F32"),
        (put("thresholds", many((6, 2), "float32")), r"layers\.0\.mapping has index 17; .* 12"),
        (put("thresholds", many((0, 3), "float32")), r"\(0, 3\)"),
        (spoil("thresholds", (0, 0), np.nan), "1 values that are NaN or infinite"),
        (spoil("thresholds", 0, np.inf), "3 values that are NaN or infinite"),
        (spoil("layers.1.mapping", (3, 2), 40), "mapping has index 40; layer 0 gives 40"),
        (put("layers.1.mapping", many((30, 6), "uint32", 2**32 - 1)), "indices 4294967295"),
        (put("layers.1.mapping", many((30, 6), "int64")), "I64, expected U8 or U16 or U32"),
        (put("layers.1.mapping", many((30, 5))), r"layers\.1: .* expected uint8 \(30, 4\)"),
        (put("layers.1.mapping", many((29, 6))), r"layers\.1: .* expected uint8 \(29, 8\)"),
        (put("layers.1.mapping", many((0, 6))), r"layers\.1: mapping"),
        (put("layers.1.mapping", many(())), r"layers\.1: mapping .* \(\)"),
        (put("layers.0.tables", many((40, 8), "int8")), "I8, expected U8"),
        (put("layers.0.tables", many((40, 64))), r"layers\.0: .* expected uint8 \(40, 8\)"),
    ],
)  # fmt: skip
def test_a_file_with_a_wrong_part_is_refused(file: Path, change: Change, message: str) -> None:
    changed(file, say())
    load_hardened(file)
    with pytest.raises(LUTError, match=message) as caught:
        load_hardened(changed(file, change))
    assert caught.value.message.startswith(f"{file}: ")


def test_renamed_tensors_are_named(file: Path) -> None:
    def change(tensors: dict[str, Any], said: dict[str, Any]) -> None:
        tensors["layers.00.tables"] = tensors.pop("layers.0.tables")

    with pytest.raises(LUTError, match=r"no network has: layers\.00\.tables"):
        load_hardened(changed(file, change))


def test_a_file_that_was_cut_anywhere_is_refused(file: Path) -> None:
    whole = file.read_bytes()
    for size in [0, 1, 7, 8, 9, 100, 300, len(whole) // 2, len(whole) - 1]:
        file.write_bytes(whole[:size])
        with pytest.raises(LUTError, match="is no valid safetensors file"):
            load_hardened(file)


def test_sizes_in_a_header_are_not_trusted(file: Path) -> None:
    whole = file.read_bytes()
    for length in (2**63, 2**64 - 1, 10**9, len(whole)):
        file.write_bytes(length.to_bytes(8, "little") + whole[8:])
        with pytest.raises(LUTError, match="is no valid safetensors file"):
            load_hardened(file)
    big = b'{"thresholds":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}'
    file.write_bytes(len(big).to_bytes(8, "little") + big)
    with pytest.raises(LUTError, match="is no valid safetensors file"):
        load_hardened(file)


def test_a_flipped_byte_is_another_network_or_an_error(file: Path) -> None:
    whole, expected = file.read_bytes(), load_hardened(file).digest
    for at in range(0, len(whole), 41):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        try:
            assert load_hardened(file).digest != expected
        except LUTError as error:
            assert str(file) in error.message  # noqa: PT017 - either is right


def test_what_is_no_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(LUTError, match=f"no hardened network {tmp_path}/a.safetensors"):
        load_hardened(tmp_path / "a.safetensors")
    with pytest.raises(LUTError, match="no hardened network"):
        load_hardened(tmp_path)


def test_other_bytes_than_promised_are_not_even_parsed(file: Path) -> None:
    reading.read(file, hashlib.sha256(file.read_bytes()).hexdigest())
    file.write_bytes(b"?")
    with pytest.raises(LUTDigestError, match="does not match its config") as caught:
        reading.read(file, "0" * 64)
    assert caught.value.expected == "0" * 64


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of pretrained networks: `mine`, not hardened."""
    folder = tmp_path / "zoo" / "feedforward"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(
        "model_type: feedforward\nlayer_type: random\nnode_type: probabilistic\n"
        "encoder_config: {name: thermometer, num_bits: 3}\nnode_input_dim: 6\n"
        "layer_widths: [40, 30]\nnum_classes: 2\ninput_size: 6\n"
    )
    monkeypatch.setenv("POT_LUT_PATH", str(tmp_path / "zoo"))
    monkeypatch.chdir(tmp_path)
    return folder


def test_a_network_is_found_by_its_name(network: HardenedNetwork, zoo: Path) -> None:
    network.save(zoo / "mine.hard.safetensors")
    assert load_hardened("mine").digest == load_hardened("feedforward/mine").digest
    assert load_hardened("mine").digest == network.digest


def test_the_digest_in_its_yaml_is_checked(network: HardenedNetwork, zoo: Path) -> None:
    network.save(zoo / "mine.hard.safetensors")
    config = (zoo / "mine.yaml").read_text()
    named = f"hardened: {{file: mine.hard.safetensors, sha256: {network.digest}}}\n"
    (zoo / "mine.yaml").write_text(config + named)
    assert load_hardened("mine").digest == network.digest
    circuit(6, (40, 30), seed=1).save(zoo / "mine.hard.safetensors", overwrite=True)
    with pytest.raises(LUTDigestError, match=r"mine\.hard\.safetensors does not match"):
        load_hardened("mine")
    (zoo / "mine.hard.safetensors").unlink()
    with pytest.raises(LUTWeightsError, match=r"expected .*mine\.hard\.safetensors"):
        load_hardened("mine")


def test_a_name_without_a_hardened_file_is_an_error_with_a_remedy(zoo: Path) -> None:
    with pytest.raises(LUTWeightsError, match="no hardened form of 'feedforward/mine'") as caught:
        load_hardened("mine")
    assert "harden(load_pretrained('mine'))" in caught.value.remedy
    with pytest.raises(LUTNameError, match="unknown pretrained model 'mne'"):
        load_hardened("mne")
