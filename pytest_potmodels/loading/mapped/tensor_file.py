"""torch's own zip files as weights that can be mapped: written, and found where they lie."""

import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import torch
from torch.utils.serialization import config

from pytest_potmodels.loading.mapped.block_writer import BlockWriter
from pytest_potmodels.loading.mapped.index import ALIGNMENT, TensorAt

#: A local file header (APPNOTE.TXT 4.3.7) up to the lengths of name and extra field.
_LOCAL_HEADER = struct.Struct("<4s22xHH")


def write(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    """Save tensors by name; every storage begins at a multiple of 64 bytes.

    The file is what torch.save writes: torch.load(FILE, weights_only=True) reads it. Tensors
    that share memory still do.

    Raises:
        OSError: the disk does not take it.
        RuntimeError: tensors of several types share memory.
    """
    users: dict[int, int] = {}
    for tensor in tensors.values():
        users[_storage(tensor)] = users.get(_storage(tensor), 0) + 1
    trimmed = {name: _trimmed(tensor, users[_storage(tensor)]) for name, tensor in tensors.items()}
    try:
        with path.open("wb") as file, _aligned():
            # Of a file torch.save uses no more than write and flush.
            torch.save(trimmed, cast(BinaryIO, BlockWriter(file)))
    except RuntimeError as error:
        # Of a full disk torch says "unexpected pos 576 vs 534"; given a file, not a path, Python
        # has said it before.
        if isinstance(error.__context__, OSError):
            raise error.__context__ from None
        raise


@contextmanager
def _aligned() -> Iterator[None]:
    """Whoever has asked torch for narrower files gets them, but for this one."""
    asked = getattr(config.save, "storage_alignment", ALIGNMENT)  # torch 2.6 always does it.
    if asked % ALIGNMENT == 0:
        yield
        return
    config.save.storage_alignment = ALIGNMENT
    try:
        yield
    finally:
        config.save.storage_alignment = asked


def locate(path: Path) -> tuple[TensorAt, ...]:
    """Find the tensors of a file that torch.save wrote; the weights are mapped, not read.

    Raises:
        ValueError: it is no zip file, holds no flat dict of tensors, or is compressed.
        pickle.UnpicklingError: it holds Python objects beside tensors; they are not made.
    """
    if not zipfile.is_zipfile(path):
        raise ValueError(f"{path.name} has torch's format from before 1.6")
    state = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
    if not isinstance(state, Mapping) or not all(
        isinstance(t, torch.Tensor) for t in state.values()
    ):
        raise ValueError(f"{path.name} is no flat dict of tensors")
    begins = _begins(path, state)
    return tuple(
        TensorAt(
            names=(str(name),),
            dtype=str(tensor.dtype).removeprefix("torch."),
            shape=tuple(tensor.shape),
            stride=tuple(tensor.stride()),
            begin=begins.get(_storage(tensor), 0),
            length=tensor.untyped_storage().nbytes(),
            offset=tensor.storage_offset(),
        )
        for name, tensor in state.items()
    )


def _begins(path: Path, state: Mapping[str, torch.Tensor]) -> dict[int, int]:
    """Address of a storage -> where it begins in the file: both ascend in one order."""
    sizes = {_storage(t): t.untyped_storage().nbytes() for t in state.values() if t.numel()}
    records = [(begin, size) for begin, size in _records(path) if size]
    addresses = sorted(sizes)
    if [sizes[address] for address in addresses] != [size for _, size in records]:
        raise ValueError(f"{path.name} has other records than its tensors need")
    return {address: begin for address, (begin, _) in zip(addresses, records, strict=True)}


def _records(path: Path) -> list[tuple[int, int]]:
    """Begin and size of each storage's record, ascending."""
    found = []
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        for info in archive.infolist():
            if info.filename.split("/")[-2:-1] != ["data"]:
                continue
            if info.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{path.name} is compressed")
            file.seek(info.header_offset)
            magic, name, extra = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
            if magic != b"PK\x03\x04":
                raise ValueError(f"{path.name} has a damaged record {info.filename}")
            found.append((info.header_offset + _LOCAL_HEADER.size + name + extra, info.file_size))
    return sorted(found)


def _storage(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _trimmed(tensor: torch.Tensor, users: int) -> torch.Tensor:
    """The tensor alone, without memory that its storage has beside it."""
    plain = tensor.detach()
    more = plain.untyped_storage().nbytes() > plain.numel() * plain.element_size()
    # Strides belong to a tensor: one that skips elements keeps its storage.
    return plain.clone() if users == 1 and more and plain.is_contiguous() else plain
