"""torch's own zip files: written so that they can be mapped, and found where they lie."""

import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from small_disks import small_disk_at
from torch import nn
from torch.utils.serialization import config

from pytest_potmodels.loading.mapped import tensor_file
from pytest_potmodels.loading.mapped.index import ALIGNMENT, TensorAt
from pytest_potmodels.loading.mapped.likeness import same_tensor

STRIDED = torch.arange(24.0).view(4, 6)

SETS: dict[str, dict[str, torch.Tensor]] = {
    "plain": {"w": torch.rand(3, 4), "b": torch.rand(5)},
    "0-d": {"n": torch.tensor(7), "x": torch.tensor(1.5)},
    "empty": {"e": torch.empty(0, 3), "w": torch.rand(2)},
    "nothing but empty": {"e": torch.empty(0)},
    "no tensor": {},
    "transposed": {"t": STRIDED.t()},
    "a view alone": {"v": STRIDED[1:3]},
    "a view that skips": {"v": STRIDED[:, ::2]},
    "views of one": {"a": STRIDED[0], "b": STRIDED[1], "all": STRIDED},
    "expanded": {"x": torch.rand(1, 3).expand(5, 3)},
    "channels last": {"c": torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last)},
    "tied": dict.fromkeys(("encoder", "decoder"), torch.rand(4)),
    "equal sizes": {str(n): torch.full((16,), float(n)) for n in range(20)},
    "bfloat16": {"w": torch.rand(9).bfloat16()},
    "float16": {"w": torch.rand(9).half()},
    "int64": {"w": torch.arange(9)},
    "uint8": {"w": torch.arange(9, dtype=torch.uint8)},
    "bool": {"w": torch.rand(9) > 0.5},
    "complex64": {"w": torch.rand(9, dtype=torch.complex64)},
    "float8": {"w": torch.rand(9).to(torch.float8_e4m3fn), "v": torch.rand(3)},
    "NaN": {"w": torch.tensor([float("nan"), -0.0, float("inf")])},
    "parameter": {"w": nn.Parameter(torch.rand(3)), "f": nn.Parameter(torch.rand(2))},
    "ugly names": {"a/b": torch.rand(2), "data/0": torch.rand(2), "": torch.rand(2)},
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "weights.pt"


def read(place: TensorAt, path: Path) -> torch.Tensor:
    """A tensor out of the bytes of the file, by nothing but its place."""
    if not place.numel:
        return torch.empty_strided(place.shape, place.stride, dtype=place.torch_dtype)
    with path.open("rb") as file:
        file.seek(place.begin)
        content = bytearray(file.read(place.length))
    assert len(content) == place.length
    raw = torch.frombuffer(content, dtype=torch.uint8).untyped_storage()
    empty = torch.empty(0, dtype=place.torch_dtype)
    return empty.set_(raw, place.offset, place.shape, place.stride)


@pytest.mark.parametrize("name", SETS)
def test_what_is_written_is_found_where_it_lies(name: str, path: Path) -> None:
    tensors = SETS[name]
    tensor_file.write(path, tensors)
    places = tensor_file.locate(path)
    assert [place.names for place in places] == [(each,) for each in tensors]
    for place in places:
        assert same_tensor(read(place, path), tensors[place.names[0]].detach()), place
        assert place.begin % ALIGNMENT == 0


@pytest.mark.parametrize("name", SETS)
def test_torch_reads_the_file_without_unpickling(name: str, path: Path) -> None:
    tensor_file.write(path, SETS[name])
    loaded = torch.load(path, weights_only=True)
    assert list(loaded) == list(SETS[name])
    assert all(same_tensor(loaded[key], SETS[name][key].detach()) for key in loaded)


@pytest.fixture(params=[1, 8, 64, 4096])
def asked(request: pytest.FixtureRequest) -> Iterator[int]:
    """The alignment that a user has asked torch for."""
    config.save.storage_alignment = request.param
    yield request.param
    config.save.storage_alignment = ALIGNMENT


def test_whatever_alignment_a_user_has_asked_torch_for(asked: int, path: Path) -> None:
    tensors = {str(n): torch.rand(n) for n in range(1, 30)}
    tensor_file.write(path, tensors)
    places = tensor_file.locate(path)
    assert {place.begin % max(asked, ALIGNMENT) for place in places} == {0}
    assert config.save.storage_alignment == asked
    torch.save(tensors, path)
    for place in tensor_file.locate(path):
        assert same_tensor(read(place, path), tensors[place.names[0]])


def test_memory_that_tensors_share_is_written_once(path: Path) -> None:
    big = torch.rand(1000, 100)
    tensor_file.write(path, {"a": big[:500], "b": big[500:], "all": big, "again": big})
    assert big.nbytes < path.stat().st_size < big.nbytes + 5000
    assert len({place.begin for place in tensor_file.locate(path)}) == 1


def test_memory_beside_a_view_is_not_written(path: Path) -> None:
    tensor_file.write(path, {"v": torch.rand(1000, 1000)[3]})
    assert path.stat().st_size < 10_000


def test_the_same_tensors_make_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        tensor_file.write(tmp_path / folder / "weights.pt", SETS["views of one"])
    one, two = ((tmp_path / folder / "weights.pt").read_bytes() for folder in ("a", "b"))
    assert one == two


def test_a_state_dict_is_located_as_it_was_saved_by_others(path: Path) -> None:
    state = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)).state_dict()
    assert isinstance(state, OrderedDict)
    torch.save(state, path)
    for place in tensor_file.locate(path):
        assert same_tensor(read(place, path), state[place.names[0]])


def test_types_that_share_memory_cannot_be_written(path: Path) -> None:
    with pytest.raises(RuntimeError, match="different types"):
        tensor_file.write(path, {"f": STRIDED, "i": STRIDED.view(torch.int32)})


def test_a_file_from_before_zip_is_refused(path: Path) -> None:
    torch.save(SETS["plain"], path, _use_new_zipfile_serialization=False)
    with pytest.raises(ValueError, match=r"weights\.pt has torch's format from before 1\.6"):
        tensor_file.locate(path)


def test_a_compressed_file_is_refused(path: Path, tmp_path: Path) -> None:
    torch.save(SETS["plain"], path)
    packed = tmp_path / "packed.pt"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(packed, "w") as target:
        for info in source.infolist():
            data = source.read(info)
            target.writestr(info.filename, data, compress_type=zipfile.ZIP_DEFLATED)
    with pytest.raises((ValueError, RuntimeError)):
        tensor_file.locate(packed)


class Harmful:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("harm",)


@pytest.mark.parametrize(
    "content", [{"w": Harmful()}, Harmful(), {"w": torch.rand(2), "harm": Harmful()}], ids=range(3)
)
def test_a_file_with_python_objects_is_refused_and_none_is_made(
    content: object, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(content, path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pickle.UnpicklingError):
        tensor_file.locate(path)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize(
    "content", [{"a": {"w": torch.rand(2)}}, [torch.rand(2)], torch.rand(2), {"epoch": 3}, 7]
)
def test_what_is_no_flat_dict_of_tensors_is_refused(content: object, path: Path) -> None:
    torch.save(content, path)
    with pytest.raises(ValueError, match="no flat dict of tensors"):
        tensor_file.locate(path)


def test_a_file_with_more_memory_than_its_tensors_need_is_refused(path: Path) -> None:
    big = torch.rand(8)
    torch.save({"w": big, "e": torch.rand(100)[:0]}, path)
    with pytest.raises(ValueError, match="other records than its tensors need"):
        tensor_file.locate(path)


@pytest.mark.parametrize("size", [0, 10, 1000])
def test_a_file_that_is_cut_short_is_refused(size: int, path: Path) -> None:
    tensor_file.write(path, SETS["plain"])
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises((ValueError, RuntimeError)):
        tensor_file.locate(path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk_at(tmp_path / "disk", "64k") as place:
        yield place


def test_a_full_disk_is_an_error_of_the_disk(small_disk: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        tensor_file.write(small_disk / "weights.pt", {"w": torch.rand(100_000)})
