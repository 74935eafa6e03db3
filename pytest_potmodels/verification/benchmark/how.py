"""What a benchmark measures, and how often."""

from dataclasses import dataclass

BACKENDS = ("torch", "onnxruntime")


@dataclass(frozen=True)
class How:
    """How often, after how many that do not count, with how many cores, of which size."""

    runs: int = 30
    warmup: int = 3
    #: 0: all of the machine that measures.
    threads: int = 0
    batch: int = 1
