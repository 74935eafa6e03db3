"""The hub's answers: /api/models/…, /ID/resolve/REV/FILE, /api/resolve-cache/…."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from standin import listings
from standin.content import Commit, Repo
from standin.log import Request
from standin.replies import Reply, file_reply, json_reply, redirect, refusal

_API = "/api/models/"
_CACHE = "/api/resolve-cache/models/"
_WHOAMI = "/api/whoami-v2"
_REVISION_ROUTES = ("revision", "tree")


@dataclass(frozen=True)
class _Target:
    """What a path asks for: a repository, a revision of it, a file or listing in that."""

    repo_id: str
    revision: str
    rest: str = ""
    route: str = "revision"


class Hub:
    """Repositories, and the reply to each request for them."""

    def __init__(self, cdn_link: Callable[[str, str], str]) -> None:
        self._cdn_link = cdn_link
        self._lock = threading.Lock()
        self._repos: dict[str, Repo] = {}
        self.revoked: set[str] = set()
        #: The account of each token that `whoami` knows.
        self.accounts: dict[str, str] = {}

    def add(self, repo: Repo) -> None:
        """Serve a repository under its id and its aliases."""
        with self._lock:
            self._repos.update(dict.fromkeys((repo.id, *repo.aliases), repo))

    def answer(self, request: Request) -> Reply:
        """Route a request."""
        path, token = urlsplit(request.path).path, _token(request)
        if token in self.revoked:
            return refusal(401, "", "Invalid credentials in Authorization header")
        if path == _WHOAMI:
            return self._whoami(token)
        if path.startswith(_CACHE):
            return self._cached_file(path.removeprefix(_CACHE))
        if path.startswith(_API):
            return self._api(_api_target(path.removeprefix(_API)), request, token)
        if target := _file_target(path):
            return self._resolve(target, request, token)
        return refusal(404, "", "Sorry, we can't find the page you are looking for.")

    def _whoami(self, token: str | None) -> Reply:
        if token not in self.accounts:
            return refusal(401, "", "Invalid username or password.")
        return json_reply({"type": "user", "name": self.accounts[token]})

    def _api(self, target: _Target, request: Request, token: str | None) -> Reply:
        found = self._find(target, request, token)
        if isinstance(found, Reply):
            return found
        repo, commit = found
        if target.route == "tree":
            return json_reply(listings.tree(commit, target.rest))
        return json_reply(
            listings.model_info(repo, commit, blobs="blobs=" in urlsplit(request.path).query)
        )

    def _resolve(self, target: _Target, request: Request, token: str | None) -> Reply:
        found = self._find(target, request, token)
        if isinstance(found, Reply):
            return found
        repo, commit = found
        if not repo.opens_to(token):
            return _gated(repo, token)
        return self._file(repo, commit, target.rest)

    def _file(self, repo: Repo, commit: Commit, path: str) -> Reply:
        stamp = {"X-Repo-Commit": commit.sha}
        blob = commit.files.get(path)
        if blob is None:
            return refusal(404, "EntryNotFound", "Entry not found", stamp)
        linked = {**stamp, "X-Linked-ETag": f'"{blob.etag}"', "X-Linked-Size": str(len(blob.data))}
        if blob.is_lfs:
            link = self._cdn_link(blob.sha256, path)
            return redirect(302, link, {**linked, "ETag": f'"{blob.etag}"'})
        if repo.private or repo.gated:
            return file_reply(blob.data, blob.etag, stamp)
        shared = f"{_CACHE}{repo.id}/{commit.sha}/{quote(path, safe='')}"
        etag = quote(f'"{blob.etag}"')
        return redirect(307, f"{shared}?{quote(path, safe='')}=&etag={etag}", stamp)

    def _cached_file(self, path: str) -> Reply:
        repo_id, _, (sha, *rest) = _split(path, ())
        repo = self._repos.get(repo_id)
        commit = repo.commits.get(sha) if repo else None
        blob = commit.files.get("/".join(rest)) if commit else None
        if commit is None or blob is None:
            return refusal(404, "EntryNotFound", "Entry not found")
        return file_reply(blob.data, blob.etag, {"X-Repo-Commit": commit.sha})

    def _find(
        self, target: _Target, request: Request, token: str | None
    ) -> tuple[Repo, Commit] | Reply:
        repo = self._repos.get(target.repo_id)
        if repo is None or (repo.private and not repo.opens_to(token)):
            return _not_found(token)
        if repo.id != target.repo_id:
            return redirect(307, request.path.replace(target.repo_id, repo.id, 1))
        commit = repo.find(target.revision)
        if commit is None:
            return refusal(404, "RevisionNotFound", f"Invalid rev id: {target.revision}")
        return repo, commit


def _not_found(token: str | None) -> Reply:
    """The hub does not tell strangers whether a private repository exists."""
    if token is None:
        return refusal(401, "RepoNotFound", "Invalid username or password.")
    return refusal(404, "RepoNotFound", "Repository not found")


def _gated(repo: Repo, token: str | None) -> Reply:
    if token is None:
        asks = "You must have access to it and be authenticated to access it. Please log in."
        return refusal(401, "GatedRepo", f"Access to model {repo.id} is restricted. {asks}")
    asks = "Visit the model's page to ask for access."
    message = f"Access to model {repo.id} is restricted and you are not in the authorized list."
    return refusal(403, "GatedRepo", f"{message} {asks}")


def _token(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" and token else None


def _split(path: str, words: tuple[str, ...]) -> tuple[str, str, list[str]]:
    """(id, the word after it, what follows); an id has one part where the word says so."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    length = 1 if len(parts) == 1 or parts[1] in words else 2
    repo_id = "/".join(parts[:length])
    if not words:
        return repo_id, "", parts[length:]
    word, *rest = parts[length:] or [""]
    return repo_id, word, rest


def _api_target(path: str) -> _Target:
    repo_id, route, rest = _split(path, _REVISION_ROUTES)
    revision, *folders = rest or ["main"]
    return _Target(repo_id, revision, "/".join(folders), route or "revision")


def _file_target(path: str) -> _Target | None:
    repo_id, word, rest = _split(path, ("resolve",))
    if word != "resolve" or len(rest) < 2:
        return None
    return _Target(repo_id, rest[0], "/".join(rest[1:]))
