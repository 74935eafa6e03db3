"""Files of a stand-in repository as a source promises them, and transfers to fetch them with."""

import contextlib
import hashlib
import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from standin import Repo, StandIn

from pytest_potmodels.artifacts import RemoteFile
from pytest_potmodels.digests import Digest
from pytest_potmodels.errors import PotModelsError
from pytest_potmodels.transfer import Deadline, Transfer, TransferPolicy

NAME = "model.safetensors"


@dataclass
class Bench:
    """A hub with one weights file, and an empty stage to fetch it into."""

    site: StandIn
    stage: Path
    weights: bytes
    file: RemoteFile

    def promised(self, repo: Repo) -> list[RemoteFile]:
        """The files of a repository with the sizes and digests that its listing states."""
        return [
            RemoteFile(
                path=PurePosixPath(path),
                url=f"{self.site.hub.url}/{repo.id}/resolve/{repo.sha}/{path}",
                size=len(blob.data),
                digests=(Digest("sha256" if blob.is_lfs else "git-sha1", blob.etag),),
            )
            for path, blob in repo.commits[repo.sha].files.items()
        ]

    def plain(self, data: bytes, *, size: int | None = None) -> RemoteFile:
        """A file of which nothing is promised."""
        return RemoteFile(PurePosixPath("f.bin"), self.site.add_download("/f.bin", data), size)

    def transfer(
        self, *, token: str | None = None, on_progress: Any = None, **policy: Any
    ) -> Transfer:
        """A Transfer to this hub; arguments change its policy."""
        usual = TransferPolicy(hub_endpoint=self.site.hub.url, retries=2, read_timeout=2.0)
        return Transfer(replace(usual, **policy), token=lambda: token, on_progress=on_progress)

    def fetch(self, file: RemoteFile | None = None, *, seconds: float = 30, **policy: Any) -> bytes:
        """Fetch one file, by default the weights; return what then lies in the stage."""
        file = file or self.file
        stored = self.transfer(**policy).fetch_all([file], self.stage, Deadline(seconds))[0]
        content = (self.stage / file.path).read_bytes()
        assert hashlib.sha256(content).hexdigest() == stored.sha256
        assert [path.name for path in self.stage.iterdir()] == [file.path.name]
        return content

    def fails(self, file: RemoteFile | None = None, *, seconds: float = 30, **policy: Any) -> Any:
        """Fetch one file in vain; return the error."""
        file = file or self.file
        with pytest.raises(PotModelsError) as caught:
            self.transfer(**policy).fetch_all([file], self.stage, Deadline(seconds))
        assert not (self.stage / file.path).exists()
        return caught.value

    def leave(self, part: bytes) -> None:
        """What a killed run leaves of the weights."""
        self.stage.mkdir()
        (self.stage / f"{NAME}.part").write_bytes(part)

    def ranges(self) -> list[str | None]:
        """The Range of each request for the body of the weights."""
        return [each.headers.get("range") for each in self.site.log.select(NAME, server="cdn")]


@pytest.fixture
def bench(site: StandIn, tmp_path: Path) -> Bench:
    weights = os.urandom(400_000)
    repo = site.add_repo("org/model", {NAME: weights})
    made = Bench(site, tmp_path / "stage", weights, RemoteFile(PurePosixPath(NAME), ""))
    made.file = made.promised(repo)[0]
    return made


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as once:
        once.bind(("127.0.0.1", 0))
        port: int = once.getsockname()[1]
        return port


@pytest.fixture
def black_hole() -> Iterator[str]:
    """`127.0.0.1:PORT` where packets are dropped: a queue of connections that is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.settimeout(0.3)
            try:
                waiting.connect(address)
            except TimeoutError:
                break
        else:
            pytest.skip("this system lets a full queue take connections")
        yield f"127.0.0.1:{address[1]}"


@pytest.fixture
def silent_server() -> Iterator[str]:
    """`http://127.0.0.1:PORT`, where connections are taken and nothing is ever said."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


Script = Iterable[tuple[float, bytes | None]]


@pytest.fixture
def scripted() -> Iterator[Callable[[Script], str]]:
    """Serve each connection a script of (seconds to wait, bytes to send or None to hang up)."""
    closing = threading.Event()
    with contextlib.ExitStack() as stack:

        def serve(script: Script) -> str:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            stack.callback(_shut, listener)
            arguments = (listener, script, closing)
            threading.Thread(target=_accept, args=arguments, daemon=True).start()
            return f"http://127.0.0.1:{listener.getsockname()[1]}/x"

        yield serve
        closing.set()


def _accept(listener: socket.socket, script: Script, closing: threading.Event) -> None:
    with contextlib.suppress(OSError):
        while True:
            arguments = (listener.accept()[0], script, closing)
            threading.Thread(target=_recite, args=arguments, daemon=True).start()


def _recite(connection: socket.socket, script: Script, closing: threading.Event) -> None:
    with connection, contextlib.suppress(OSError):
        if not connection.recv(65536):  # unread, it would turn a close into a reset
            return
        for pause, data in script:
            if closing.wait(pause) or data is None:
                return
            connection.sendall(data)
        closing.wait()


def _shut(listener: socket.socket) -> None:
    """Wake the thread that waits in `accept`."""
    with contextlib.suppress(OSError):  # macOS: a listener is not connected
        listener.shutdown(socket.SHUT_RDWR)
