"""The three servers together: what a test starts, fills, breaks and asks."""

from collections.abc import Mapping
from types import TracebackType
from typing import Self

from standin.content import Files, Repo
from standin.faults import Fault, FaultPlan
from standin.hub import Hub
from standin.log import RequestLog
from standin.server import Server
from standin.stores import Cdn, Downloads


class StandIn:
    """The Hugging Face hub, its CDN and download.pytorch.org on this machine.

    `hub`, `cdn` and `downloads` have a `url` each; any number of processes may use them.
    """

    def __init__(self) -> None:
        self.log = RequestLog()
        self._faults = FaultPlan()
        self._cdn_content = Cdn()
        self._downloads_content = Downloads()
        self._hub_content = Hub(self._cdn_link)
        self.cdn = self._serve("cdn", self._cdn_content)
        self.downloads = self._serve("downloads", self._downloads_content)
        self.hub = self._serve("hub", self._hub_content)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop all servers and drop their connections."""
        for server in (self.hub, self.cdn, self.downloads):
            server.close()

    def add_repo(  # noqa: PLR0913 - each is one fact of a repository
        self,
        repo_id: str,
        files: Files,
        *,
        aliases: tuple[str, ...] = (),
        private: bool = False,
        gated: bool = False,
        token: str | None = None,
        license: str | None = "apache-2.0",  # noqa: A002
        tags: Mapping[str, Files] | None = None,
    ) -> Repo:
        """Serve a model repository; `commit` and `tag` on what comes back change it later.

        Args:
            files: content by path; weights by their suffix, and files above 1 MB, are LFS.
            aliases: old ids, which redirect to `repo_id`.
            token: the one token that opens a private or gated repository.
            tags: commits made before that of `files`, by tag.
        """
        repo = Repo(repo_id, aliases, private, gated, token, license, on_blob=self._cdn_content.add)
        for name, tagged in (tags or {}).items():
            repo.tag(name, repo.commit(tagged))
        repo.commit(files)
        self._hub_content.add(repo)
        return repo

    def add_download(self, path: str, data: bytes) -> str:
        """Serve a file on `downloads`; return its URL."""
        self._downloads_content.add(path, data)
        return self.downloads.url + path

    def fault(
        self,
        kind: Fault,
        path: str = "",
        *,
        server: str = "",
        method: str = "",
        times: int | None = 1,
    ) -> None:
        """Plan a fault for the next `times` requests (None: for ever) whose path contains `path`.

        An LFS file is two requests with its name: the hub's redirect and the CDN's body. Faults of
        a body pass the redirect by; for the others say `server="hub"` or `server="cdn"`.
        """
        self._faults.add(kind, path=path, server=server, method=method, times=times)

    def heal(self) -> None:
        """Forget all faults."""
        self._faults.clear()

    def revoke(self, token: str) -> None:
        """Refuse a token everywhere, as the hub does with an expired one. Any other is valid."""
        self._hub_content.revoked.add(token)

    def environ(self) -> dict[str, str]:
        """Variables that point a child process here, for its own clients and for ours."""
        return {
            "HF_ENDPOINT": self.hub.url,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "DISABLE_SAFETENSORS_CONVERSION": "1",
            "POT_MIRRORS": f"https://download.pytorch.org={self.downloads.url}",
            "NO_PROXY": "127.0.0.1",
        }

    def _serve(self, name: str, content: Hub | Cdn | Downloads) -> Server:
        return Server(name, content.answer, self.log, self._faults)

    def _cdn_link(self, sha256: str, path: str) -> str:
        return self.cdn.url + self._cdn_content.link(sha256, path)
