"""Repositories as values: blobs, commits, and the names that point at commits."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cached_property

_LFS_PATTERNS = ("*.safetensors", "*.bin", "*.pt*", "*.onnx", "*.h5", "*.msgpack", "*.gguf")
_LFS_BYTES = 1_000_000

Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Blob:
    """One file's content, with both names the hub gives it."""

    data: bytes = field(repr=False)
    is_lfs: bool

    @classmethod
    def of(cls, path: str, data: bytes) -> "Blob":
        """A file as the hub stores it: large and binary ones with LFS."""
        by_name = any(fnmatch(path, pattern) for pattern in _LFS_PATTERNS)
        return cls(data, is_lfs=by_name or len(data) > _LFS_BYTES)

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @property
    def pointer(self) -> bytes:
        """What git holds in place of an LFS file."""
        head = "version https://git-lfs.github.com/spec/v1"
        return f"{head}\noid sha256:{self.sha256}\nsize {len(self.data)}\n".encode()

    @cached_property
    def git_sha1(self) -> str:
        """git's id of what git holds: for an LFS file that is the pointer."""
        held = self.pointer if self.is_lfs else self.data
        blob = b"blob %d\0%s" % (len(held), held)
        return hashlib.sha1(blob, usedforsecurity=False).hexdigest()

    @property
    def etag(self) -> str:
        return self.sha256 if self.is_lfs else self.git_sha1


@dataclass(frozen=True)
class Commit:
    """An immutable tree of files."""

    sha: str
    files: Mapping[str, Blob]


@dataclass
class Repo:
    """A model repository; `commit` and `tag` change what its names point at."""

    id: str
    aliases: tuple[str, ...] = ()
    private: bool = False
    #: Files only for `token`; metadata stays public, as on the real hub.
    gated: bool = False
    #: The one token that opens a private or gated repository.
    token: str | None = None
    license: str | None = None
    #: Told each new blob: the CDN serves them by content.
    on_blob: Callable[[Blob], None] = field(default=lambda _: None, repr=False)
    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def commit(self, files: Files, *, branch: str = "main") -> str:
        """Add a commit with exactly these files, move the branch to it, return its sha."""
        blobs = {path: Blob.of(path, data) for path, data in sorted(files.items())}
        parent = self.refs.get(branch, "")
        for blob in blobs.values():
            self.on_blob(blob)
        facts = [self.id, parent, *(f"{path} {blob.git_sha1}" for path, blob in blobs.items())]
        sha = hashlib.sha1("\n".join(facts).encode(), usedforsecurity=False).hexdigest()
        self.commits[sha] = Commit(sha, blobs)
        self.refs[branch] = sha
        return sha

    def tag(self, name: str, sha: str | None = None) -> None:
        """Point a tag at a commit, by default at main's."""
        self.refs[name] = sha or self.sha

    @property
    def sha(self) -> str:
        """The commit that `main` points at."""
        return self.refs["main"]

    def find(self, revision: str) -> Commit | None:
        """The commit a branch, tag or full commit id means."""
        return self.commits.get(self.refs.get(revision, revision))

    def opens_to(self, token: str | None) -> bool:
        """Whether this token reads files."""
        closed = self.private or self.gated
        return not closed or (token is not None and token == self.token)
