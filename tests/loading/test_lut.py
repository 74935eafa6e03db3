"""LUT networks and their stand-in: torch when it is looked at, bits without it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from loading.conftest import stored_folder
from lut_folders import write_network

from pytest_potmodels.artifacts import LoadOptions, StoredModel, size_of
from pytest_potmodels.errors import LUTDigestError, LUTError, UsageError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.loading import load
from pytest_potmodels.loading.lut import LoadedLut, open_lut

X = np.arange(64 * 5, dtype=np.float32).reshape(5, 64) % 17
STAND_IN = StoredModel(ModelId("mock", "lut"), Path(), "lut", "mock", ())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return write_network(tmp_path)


def stored(home: Path) -> StoredModel:
    return stored_folder(home, id=ModelId("lut", "tiny"), kind="lut", format="lut", in_place=True)


def lent(model: StoredModel, options: LoadOptions | None = None) -> LoadedLut:
    return open_lut(model, options or LoadOptions()).lend(model, "cpu")


def test_the_stock_way_gives_the_same(home: Path) -> None:
    stock = load(stored(home), LoadOptions(), device="cpu")
    assert isinstance(stock, LoadedLut)
    assert stock.checksum == lent(stored(home)).checksum
    assert torch.equal(stock(torch.tensor(X)), lent(stored(home))(torch.tensor(X)))


@pytest.mark.parametrize("mock", [False, True], ids=["files", "stand-in"])
def test_what_is_known_without_the_module_is_so(home: Path, *, mock: bool) -> None:
    model = lent(STAND_IN if mock else stored(home))
    assert model.is_mock == mock
    flag = 1  # Whether the encoder is fitted: no file has it.
    assert model.memory_mb * 2**20 == size_of(model.model) - flag
    exact = model(torch.tensor(X), eval_mode="deterministic")
    assert np.array_equal(exact.numpy(), model.hardened().logits(X))
    assert model.hardened() is model.hardened()


def test_a_network_without_its_bits_is_hardened(home: Path) -> None:
    bits = lent(stored(home)).hardened()
    (home / "tiny.hard.safetensors").unlink()
    assert np.array_equal(lent(stored(home)).hardened()(X), bits(X))


def test_the_stand_in_is_the_same_in_every_process_and_of_its_seed() -> None:
    same, other = lent(STAND_IN).hardened(), lent(STAND_IN, LoadOptions(seed=1)).hardened()
    assert same.digest[:16] == "5a1acc43a0ff256d"
    assert other.digest != same.digest
    assert len(np.unique(same.predict(np.random.RandomState(0).rand(50, 64) * 16))) > 3


def test_weights_that_the_yaml_does_not_name_are_refused(home: Path, tmp_path: Path) -> None:
    yaml = home / "tiny.yaml"
    said = yaml.read_text()
    if "weights:" not in said:
        yaml.write_text(f"{said}weights: {{file: tiny.safetensors, sha256: {'0' * 64}}}\n")
    else:
        (home / "tiny.safetensors").write_bytes(b"other bytes")
    with pytest.raises(LUTDigestError, match=r"tiny\.safetensors is not the file"):
        open_lut(stored(home), LoadOptions())


def test_a_runtime_value_that_cannot_be_meant_is_found_before_torch_is_needed(home: Path) -> None:
    with pytest.raises(LUTError, match="temperature must be"):
        open_lut(stored(home), LoadOptions(runtime='{"temperature": -1}'))


def test_a_device_that_is_not_there_is_said() -> None:
    with pytest.raises(UsageError, match="cuda:99"):
        _ = open_lut(STAND_IN, LoadOptions()).lend(STAND_IN, "cuda:99").model


_WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
from pathlib import Path
import pytest_potmodels as pot
from pytest_potmodels.loading.lut import open_lut
from pytest_potmodels.lut import load_heldout
model = pot.load("tiny", overrides={"eval_mode": "hard"})
print(model, model.memory_mb > 0, model.hardened()(load_heldout().images).shape)
try:
    model.model
except pot.MissingPackageError as error:
    print(error.reason, error)
sys.modules["numpy"] = None
del sys.modules["pytest_potmodels.lut.hardened"]
try:
    pot.load("lut:tiny").hardened()
except pot.MissingPackageError as error:
    print(error)
"""


def test_without_torch_there_are_the_bits(home: Path, tmp_path: Path) -> None:
    environ = {"POT_LUT_PATH": str(home.parent), "POT_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_TORCH], check=True, capture_output=True, text=True,
        env=environ, cwd=tmp_path,
    )  # fmt: skip
    first, *rest = done.stdout.splitlines()
    assert first == "LoadedLut(lut:tiny, cached, deterministic) True (360, 10)"
    said = " ".join(rest)
    assert "package-missing PyTorch not available (not installed)" in said
    assert "pip install torch " in said
    assert "NumPy not available" in said
    assert "pip install numpy" in said


@pytest.mark.parametrize("damaged", [b"", b"\xff" * 64, b"\x04" + bytes(7) + b"[]  "])
def test_damaged_weights_are_an_error_of_the_loader_in_its_own_words(
    home: Path, damaged: bytes
) -> None:
    (home / "tiny.safetensors").write_bytes(damaged)
    yaml = home / "tiny.yaml"
    yaml.write_text("".join(yaml.read_text().partition("weights:")[:1]))
    model = lent(stored(home))
    assert model.memory_mb * 2**20 == len(damaged)
    with pytest.raises(LUTError, match="no valid safetensors"):
        _ = model.model
