"""GitHub as far as git and its archives go: info/refs on one host, zip files on another."""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from standin.content import Files, Repo
from standin.log import Request
from standin.replies import Reply

_SERVICE = "git-upload-pack"


@dataclass
class GitRepo:
    """A repository; `commit` and `tag` change what its refs point at."""

    id: str
    default_branch: str = "main"
    content: Repo = field(init=False)
    #: Tags that are objects of their own, by the object's id.
    annotated: dict[str, str] = field(default_factory=dict)
    branches: list[str] = field(default_factory=list)
    #: Archives that are not what git would make, by commit.
    archives: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.content = Repo(self.id)

    def commit(self, files: Files, *, branch: str | None = None) -> str:
        """Add a commit with exactly these files; return its id."""
        branch = branch or self.default_branch
        if branch not in self.branches:
            self.branches.append(branch)
        return self.content.commit(files, branch=f"refs/heads/{branch}")

    def tag(self, name: str, sha: str, *, annotated: bool = False) -> None:
        """Point a tag at a commit."""
        self.content.tag(f"refs/tags/{name}", sha)
        if annotated:
            self.annotated[name] = sha[::-1]

    @property
    def sha(self) -> str:
        """The commit of the default branch."""
        return self.content.refs[f"refs/heads/{self.default_branch}"]

    @property
    def refs(self) -> Mapping[str, str]:
        """All refs as git advertises them."""
        found = {"HEAD": self.sha, **self.content.refs}
        for name, sha in self.annotated.items():
            full = f"refs/tags/{name}"
            found |= {f"{full}^{{}}": found[full], full: sha}
        return dict(sorted(found.items()))

    def advertisement(self) -> bytes:
        """The reply to info/refs: git's protocol, version 0."""
        capabilities = f"symref=HEAD:refs/heads/{self.default_branch} agent=git/stand-in"
        lines = [f"{sha} {name}" for name, sha in self.refs.items()]
        lines[0] += f"\0{capabilities}"
        refs = b"".join(_packet(f"{line}\n") for line in lines)
        return _packet(f"# service={_SERVICE}\n") + b"0000" + refs + b"0000"

    def archive(self, sha: str) -> bytes | None:
        """A zip as git makes it: below one folder, with the commit in its comment."""
        commit = self.content.commits.get(sha)
        if sha in self.archives or commit is None:
            return self.archives.get(sha)
        buffer, top = io.BytesIO(), f"{self.id.partition('/')[2]}-{sha}"
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.comment = sha.encode()
            archive.mkdir(top)
            for path, blob in commit.files.items():
                archive.writestr(zipfile.ZipInfo(f"{top}/{path}"), blob.data)
        return buffer.getvalue()


class GitHub:
    """Repositories, and the reply to each request on either host."""

    def __init__(self) -> None:
        self.repos: dict[str, GitRepo] = {}
        #: Old names, which redirect.
        self.renamed: dict[str, str] = {}

    def answer(self, request: Request) -> Reply:
        """`github.com`: who is no member sees no difference between private and absent."""
        parts = urlsplit(request.path)
        owner, name, *rest = [*parts.path.strip("/").split("/"), "", ""]
        repo_id = f"{owner}/{name.removesuffix('.git')}"
        if repo_id in self.renamed:
            place = request.path.replace(repo_id, self.renamed[repo_id], 1)
            return Reply(301, {"Location": place})
        repo = self.repos.get(repo_id)
        smart = rest[:2] == ["info", "refs"] and parse_qs(parts.query) == {"service": [_SERVICE]}
        if not smart:
            return Reply(404)
        if repo is None:
            asks = {"WWW-Authenticate": 'Basic realm="GitHub"'}
            return Reply(401, asks, b"Repository not found.")
        kind = f"application/x-{_SERVICE}-advertisement"
        headers = {"Content-Type": kind, "Cache-Control": "no-cache"}
        return Reply(200, headers, repo.advertisement(), is_file=True, serves_ranges=False)

    def answer_archives(self, request: Request) -> Reply:
        """`codeload.github.com`: made on the fly, so without a length that could be resumed."""
        owner, name, kind, *rest = [*urlsplit(request.path).path.strip("/").split("/"), "", "", ""]
        repo = self.repos.get(f"{owner}/{name}")
        data = repo.archive(rest[0]) if repo and kind == "zip" else None
        if data is None:
            return Reply(404, {"Content-Type": "text/plain"}, b"404: Not Found")
        headers = {"Content-Type": "application/zip"}
        return Reply(200, headers, data, is_file=True, serves_ranges=False)


def _packet(line: str) -> bytes:
    return f"{len(line) + 4:04x}{line}".encode()
