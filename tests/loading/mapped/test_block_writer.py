import io
from itertools import accumulate, pairwise

import pytest

from pytest_potmodels.loading.mapped.block_writer import BLOCK, BlockWriter


class Recorder(io.BytesIO):
    """A file that knows the sizes in which it was written."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def write(self, data: object) -> int:
        size = super().write(data)  # type: ignore[arg-type]
        self.sizes += [size] if size else []
        return size


def written(pieces: list[bytes]) -> tuple[Recorder, list[int]]:
    file = Recorder()
    writer = BlockWriter(file)
    answers = [writer.write(piece) for piece in pieces]
    writer.flush()
    return file, answers


@pytest.mark.parametrize(
    "sizes",
    [
        [],
        [0],
        [1],
        [BLOCK - 1],
        [BLOCK],
        [BLOCK + 1],
        [3 * BLOCK],
        [1, BLOCK - 1, 1],
        [1, BLOCK, BLOCK],
        [5, 0, 3 * BLOCK + 7, 11, 2 * BLOCK],
        [100_000] * 50,
    ],
)
def test_the_bytes_arrive_in_order_and_in_whole_blocks(sizes: list[int]) -> None:
    # 251 divides no block: a block in another's place shows.
    data = bytes(range(251)) * (sum(sizes) // 251 + 1)
    ends = accumulate(sizes, initial=0)
    file, answers = written([data[begin:end] for begin, end in pairwise(ends)])
    assert file.getvalue() == data[: sum(sizes)]
    assert answers == sizes
    assert all(size % BLOCK == 0 for size in file.sizes[:-1])
    # The last may be the rest of what came after the last whole block.
    assert sum(size % BLOCK != 0 for size in file.sizes) <= 1


def test_blocks_that_come_together_are_written_at_once() -> None:
    assert written([bytes(5 * BLOCK + 1)])[0].sizes == [5 * BLOCK, 1]


def test_a_view_of_other_memory_is_copied_before_it_changes() -> None:
    memory = bytearray(b"before")
    file = io.BytesIO()
    writer = BlockWriter(file)
    writer.write(memoryview(memory))
    memory[:] = b"after!"
    writer.flush()
    assert file.getvalue() == b"before"


def test_a_full_disk_is_said() -> None:
    class Full(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        BlockWriter(Full()).write(bytes(BLOCK))
    later = BlockWriter(Full())
    later.write(b"few")
    with pytest.raises(OSError, match="No space left"):
        later.flush()
