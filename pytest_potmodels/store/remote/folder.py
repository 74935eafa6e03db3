"""What the store asks of a remote; `transfer` has the network to it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from pytest_potmodels.artifacts import RemoteFile
from pytest_potmodels.errors import PotModelsError


class Folder(Protocol):
    """Named bytes somewhere else. Each method raises UnavailableError where nothing answers."""

    @property
    def name(self) -> str:
        """What it is called in messages."""

    @property
    def is_open(self) -> bool:
        """Whether it may be asked at all."""

    def first_time(self, topic: str) -> bool:
        """Whether this is the first call with that topic in the session."""

    def read(self, name: str, start: int, end: int) -> bytes | None:
        """Bytes of an object, fewer where it ends earlier; None if there is none."""

    def size(self, name: str) -> int | None:
        """How many bytes an object has; None if there is none."""

    def write(self, name: str, data: bytes) -> None:
        """Put bytes under a name."""

    def upload(self, source: Path, name: str) -> None:
        """Put a file's bytes under a name."""

    def fetch(
        self, names: Mapping[RemoteFile, str], stage: Path, *, model: str
    ) -> dict[RemoteFile, PotModelsError]:
        """Put files into a stage, verified; what is wrong with those that it could not bring."""
