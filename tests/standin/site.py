"""The three servers together: what a test starts, fills, breaks and asks."""

from collections.abc import Callable, Mapping
from functools import cached_property
from types import TracebackType
from typing import Self

from standin.content import Files, Repo
from standin.faults import Fault, FaultPlan
from standin.github import GitHub, GitRepo
from standin.hub import Hub
from standin.log import Request, RequestLog
from standin.replies import Reply
from standin.server import Server
from standin.stores import Cdn, Downloads


class StandIn:
    """The Hugging Face hub, its CDN and download.pytorch.org on this machine.

    `hub`, `cdn` and `downloads` have a `url` each; any number of processes may use them. So have
    `github` and `codeload`, which start when a repository is added.
    """

    def __init__(self) -> None:
        self.log = RequestLog()
        self._faults = FaultPlan()
        self._cdn_content = Cdn()
        self._downloads_content = Downloads()
        self._hub_content = Hub(self._cdn_link)
        self.cdn = self._serve("cdn", self._cdn_content.answer)
        self.downloads = self._serve("downloads", self._downloads_content.answer)
        self.hub = self._serve("hub", self._hub_content.answer)

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
        for server in (self.hub, self.cdn, self.downloads, *self._of_github()):
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

    def add_git_repo(self, repo_id: str, files: Files) -> GitRepo:
        """Serve a repository of code as GitHub does; `commit` and `tag` change it later."""
        repo = GitRepo(repo_id)
        repo.commit(files)
        self.github_content.repos[repo_id] = repo
        return repo

    @cached_property
    def github_content(self) -> GitHub:
        """The repositories of `github` and `codeload`."""
        return GitHub()

    @cached_property
    def github(self) -> Server:
        """git's own protocol."""
        return self._serve("github", self.github_content.answer)

    @cached_property
    def codeload(self) -> Server:
        """Archives of commits."""
        return self._serve("codeload", self.github_content.answer_archives)

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

    def add_account(self, name: str, token: str) -> None:
        """Have `whoami` know whose a token is."""
        self._hub_content.accounts[token] = name

    def environ(self) -> dict[str, str]:
        """Variables that point a child process here, for its own clients and for ours."""
        return {
            "HF_ENDPOINT": self.hub.url,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "DISABLE_SAFETENSORS_CONVERSION": "1",
            "POT_MIRRORS": " ".join(f"{old}={new}" for old, new in self.mirrors()),
            "NO_PROXY": "127.0.0.1",
        }

    def mirrors(self) -> tuple[tuple[str, str], ...]:
        """The rules that lead here."""
        rules = (("https://download.pytorch.org", self.downloads.url),)
        if "github_content" not in vars(self):
            return rules
        return (
            *rules,
            ("https://github.com", self.github.url),
            ("https://codeload.github.com", self.codeload.url),
        )

    def _of_github(self) -> list[Server]:
        return [vars(self)[name] for name in ("github", "codeload") if name in vars(self)]

    def _serve(self, name: str, answer: Callable[[Request], Reply]) -> Server:
        return Server(name, answer, self.log, self._faults)

    def _cdn_link(self, sha256: str, path: str) -> str:
        return self.cdn.url + self._cdn_content.link(sha256, path)
