"""A machine with an empty cache, and a model of 400 kB on its hub."""

import hashlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from machine import Machine
from standin import Repo, StandIn

NAME = "huggingface:org/model"
WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Bench:
    """A machine, and a model of one weights file and one small file."""

    machine: Machine
    repo: Repo
    files: dict[str, bytes]
    name: str = NAME
    weights: str = WEIGHTS

    @property
    def site(self) -> StandIn:
        return self.machine.site

    @property
    def entry(self) -> Path:
        return self.machine.cache / "models" / "huggingface_org--model"

    def is_right(self, stored: Any) -> bool:
        """Whether the bytes on disk are those on the hub."""
        found = {file.path: (stored.path / file.path).read_bytes() for file in stored.files}
        return found == self.files

    def flip(self, *, forged: bool = False, path: str = WEIGHTS) -> bytes:
        """Flip a byte of a stored file; `forged` hides it behind the old size and mtime."""
        place = self.entry / path
        before = place.stat()
        data = bytearray(place.read_bytes())
        data[1] ^= 0xFF
        place.chmod(0o644)
        place.write_bytes(bytes(data))
        if forged:
            place.chmod(0o444)
            os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))
            assert place.stat().st_mtime_ns == before.st_mtime_ns
        return bytes(data)


@pytest.fixture
def machine(site: StandIn, tmp_path: Path) -> Machine:
    return Machine(site, tmp_path / "cache")


@pytest.fixture
def bench(machine: Machine) -> Bench:
    files = {"config.json": b'{"model_type": "bert"}', WEIGHTS: os.urandom(400_000)}
    return Bench(machine, machine.site.add_repo("org/model", files, aliases=("old-name",)), files)


@pytest.fixture
def large(machine: Machine) -> Bench:
    """The same with weights of 21 MB, which take time on the wire."""
    files = {"config.json": b"{}", WEIGHTS: os.urandom(21_000_000)}
    return Bench(machine, machine.site.add_repo("org/model", files), files)


@pytest.fixture
def own_weights(machine: Machine) -> tuple[str, str]:
    """A weights file of 21 MB on download.pytorch.org: the name to ask for, and its URL."""
    data = os.urandom(21_000_000)
    sha256 = hashlib.sha256(data).hexdigest()
    path = f"/models/own-{sha256[:16]}.pth"
    machine.site.add_download(path, data)
    return f"torchvision:resnet18@weights-{sha256[:8]}", f"https://download.pytorch.org{path}"


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as once:
        once.bind(("127.0.0.1", 0))
        port: int = once.getsockname()[1]
        return port
