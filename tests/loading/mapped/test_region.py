"""A mapping is lent again only when nobody holds any of it, and is then the file's again."""

import ctypes
import gc
import mmap
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from pytest_potmodels.loading.mapped.region import Region
from pytest_potmodels.loading.mapped.written_pages import Scan, best_scan

PAGE = mmap.PAGESIZE
SIZE = 8 * PAGE + 64
#: Kept beyond its test, as a careless test does.
KEPT: list[Any] = []

telling = pytest.mark.skipif(best_scan() is None, reason="nobody can tell written pages here")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "weights"
    file.write_bytes(os.urandom(SIZE))
    return file


@pytest.fixture
def region(path: Path) -> Region:
    return Region(path, best_scan())


def tensor_over(region: Region) -> Any:
    return torch.frombuffer(region.buffer, dtype=torch.float32, count=16, offset=64)


def idle(region: Region) -> bool:
    return region.idle


def _in_a_graph(tensor: torch.Tensor) -> Any:
    weight = nn.Parameter(tensor)
    return (weight * weight).sum()  # autograd keeps what it needs for the way back


def _as_capsule(tensor: torch.Tensor) -> Any:
    return tensor.__dlpack__()


def _in_a_closure(tensor: torch.Tensor) -> Any:
    return lambda: tensor


HOLDERS: list[Callable[[Any], Any]] = [
    lambda tensor: tensor,
    lambda tensor: tensor[3:5],
    lambda tensor: tensor.view(4, 4)[1].view(2, 2),
    lambda tensor: tensor.detach(),
    lambda tensor: tensor.numpy(),
    lambda tensor: tensor.numpy()[2:].reshape(2, 7),
    lambda tensor: memoryview(tensor.numpy()),
    lambda tensor: tensor.untyped_storage(),
    _as_capsule,
    np.from_dlpack,
    lambda tensor: torch.utils.dlpack.from_dlpack(tensor.numpy()),
    nn.Parameter,
    lambda tensor: tensor.view(torch.int32),
    lambda tensor: (ctypes.c_char * 4).from_buffer(tensor.numpy()),
    _in_a_graph,
    _in_a_closure,
]


@pytest.mark.parametrize("hold", HOLDERS, ids=range(len(HOLDERS)))
def test_whoever_holds_a_piece_holds_the_region(hold: Callable[[Any], Any], region: Region) -> None:
    assert idle(region)
    held = [hold(tensor_over(region))]
    assert not idle(region)
    held.clear()
    gc.collect()
    assert idle(region)


def test_a_cycle_holds_the_region_until_the_collector_comes(region: Region) -> None:
    module = nn.Module()
    module.register_parameter("weight", nn.Parameter(tensor_over(region)))
    vars(module)["itself"] = module
    del module
    assert not idle(region)
    gc.collect()
    assert idle(region)


def test_a_global_holds_the_region_for_good(region: Region) -> None:
    KEPT.append(nn.Parameter(tensor_over(region)))
    gc.collect()
    assert not idle(region)
    KEPT.clear()
    assert idle(region)


def test_what_is_moved_to_other_memory_is_let_go(region: Region) -> None:
    tensor = tensor_over(region)
    tensor.share_memory_()
    assert idle(region)
    tensor.fill_(1)
    assert region.put_back() == (best_scan() is not None)


@telling
def test_put_back_makes_every_byte_the_files_again(region: Region, path: Path) -> None:
    content = path.read_bytes()
    for at in (0, PAGE, 3 * PAGE + 17, SIZE - 1):
        region.buffer[at] ^= 0xFF
    tensor_over(region).add_(1)
    assert region.buffer[:] != content
    assert region.put_back()
    assert region.buffer[:] == content == path.read_bytes()
    assert region.written() == []


@telling
def test_put_back_leaves_what_was_not_written_in_place(region: Region) -> None:
    address = tensor_over(region).data_ptr()
    tensor_over(region).zero_()
    region.put_back()
    assert tensor_over(region).data_ptr() == address
    assert tensor_over(region).abs().sum() != 0


@telling
def test_a_region_serves_many_times(region: Region, path: Path) -> None:
    for number in range(300):
        region.buffer[:] = bytes([number % 256]) * SIZE
        assert region.put_back()
    assert region.buffer[:] == path.read_bytes()


def test_writes_reach_neither_the_file_nor_another_region(region: Region, path: Path) -> None:
    content = path.read_bytes()
    other = Region(path, best_scan())
    region.buffer[:] = bytes(SIZE)
    assert other.buffer[:] == content == path.read_bytes()
    assert other.written() == []


def test_without_a_scan_nothing_is_put_back_and_any_byte_may_have_been_written(path: Path) -> None:
    region = Region(path, None)
    region.buffer[0] ^= 1
    assert region.written() == [(0, SIZE)]
    assert not region.put_back()
    assert region.buffer[0] != path.read_bytes()[0]


@telling
def test_a_scan_that_fails_later_is_as_none(path: Path) -> None:
    """A test may use up all file descriptors, or make the process undumpable."""
    failing = False

    def scan(address: int, length: int) -> list[tuple[int, int]]:
        if failing:
            raise OSError("too many open files")
        works: Scan | None = best_scan()
        assert works is not None
        return works(address, length)

    region = Region(path, scan)
    region.buffer[0] ^= 1
    assert region.written() == [(0, PAGE)]
    failing = True
    assert region.written() == [(0, SIZE)]
    assert not region.put_back()
    failing = False
    assert region.put_back()
