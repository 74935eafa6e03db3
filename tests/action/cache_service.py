"""A local stand-in of GitHub's cache service: the calls its client makes, and their rules.

Entries are immutable; a branch reads its own, its pull request's base and the default branch; the
exact key goes before the key as a prefix, that before the restore keys, and the newest wins.
What is claimed here is from GitHub's documentation and from its client, not from its servers.
"""

import json
import re
import secrets
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

_CALLS = "/twirp/github.actions.results.api.v1.CacheService/"


@dataclass
class Entry:
    """One archive under one key; nobody finds it before it is whole."""

    key: str
    version: str
    scope: str
    blocks: dict[str, bytes] = field(default_factory=dict, repr=False)
    data: bytes = field(default=b"", repr=False)
    whole: bool = False


@dataclass(frozen=True)
class Token:
    """What a job may: read these branches' entries, write to the first of them, or not."""

    scopes: tuple[str, ...]
    writes: bool


class CacheService:
    """The service: `url` for the client, `entries` oldest first."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.lookups: list[str] = []
        self._tokens: dict[str, Token] = {}
        self._lock = threading.Lock()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)

    def token(self, *scopes: str, writes: bool = True) -> str:
        """A job's token: for its branch, then for those it may read besides."""
        name = f"token-{secrets.token_hex(8)}"
        self._tokens[name] = Token(scopes, writes)
        return name

    @property
    def keys(self) -> list[str]:
        """The keys of whole entries, oldest first."""
        return [entry.key for entry in self.entries if entry.whole]

    def answer(self, call: str, asked: dict[str, Any], bearer: str) -> dict[str, Any]:
        """Answer one call of the client's."""
        token = self._tokens[bearer]
        with self._lock:
            if call == "CreateCacheEntry":
                return self._create(asked, token)
            if call == "FinalizeCacheEntryUpload":
                return self._finish(asked, token)
            return self._find(asked, token)

    def _create(self, asked: dict[str, Any], token: Token) -> dict[str, Any]:
        if not token.writes:
            return {"ok": False, "message": "cache write denied: this token is read-only"}
        if any(self._is(entry, asked, token.scopes[0]) for entry in self.entries):
            return {"ok": False, "message": "cache entry with the same key exists"}
        self.entries.append(Entry(asked["key"], asked["version"], token.scopes[0]))
        return {"ok": True, "signed_upload_url": self._blob(len(self.entries) - 1)}

    def _finish(self, asked: dict[str, Any], token: Token) -> dict[str, Any]:
        number = next(
            n for n, entry in enumerate(self.entries) if self._is(entry, asked, token.scopes[0])
        )
        entry = self.entries[number]
        entry.whole = len(entry.data) == int(asked["size_bytes"])
        return {"ok": entry.whole, "entry_id": str(number)}

    def _find(self, asked: dict[str, Any], token: Token) -> dict[str, Any]:
        self.lookups.append(asked["key"])
        wanted = [asked["key"], *asked.get("restore_keys", [])]
        for scope in token.scopes:
            mine = [
                (number, entry)
                for number, entry in enumerate(self.entries)
                if entry.whole and entry.scope == scope and entry.version == asked["version"]
            ]
            exact = [found for found in mine if found[1].key == asked["key"]]
            by_prefix = ([e for e in mine if e[1].key.startswith(key)] for key in wanted)
            for found in (exact, *by_prefix):
                if found:
                    number, entry = found[-1]
                    url = self._blob(number)
                    return {"ok": True, "signed_download_url": url, "matched_key": entry.key}
        return {"ok": False}

    @staticmethod
    def _is(entry: Entry, asked: dict[str, Any], scope: str) -> bool:
        said = (asked["key"], asked["version"], scope)
        return (entry.key, entry.version, entry.scope) == said

    def _blob(self, number: int) -> str:
        return f"{self.url}blobs/{number}?sig={secrets.token_hex(8)}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, service: CacheService) -> None:
        self.service = service
        super().__init__(("127.0.0.1", 0), _Answer)


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        call = self.path.removeprefix(_CALLS)
        bearer = self.headers["Authorization"].removeprefix("Bearer ")
        said = self.server.service.answer(call, json.loads(self._body()), bearer)
        self._reply(200, json.dumps(said).encode(), {"Content-Type": "application/json"})

    def do_PUT(self) -> None:
        """Azure's upload: at once, or in blocks and then their list."""
        entry, query = self._entry()
        body = self._body()
        if query.get("comp") == ["block"]:
            entry.blocks[query["blockid"][0]] = body
        elif query.get("comp") == ["blocklist"]:
            ids = re.findall(rb"<(?:Latest|Uncommitted)>(.*?)</", body)
            entry.data = b"".join(entry.blocks[name.decode()] for name in ids)
        else:
            entry.data = body
        self._reply(201, b"", {"ETag": '"1"', "x-ms-request-id": "1"})

    def do_GET(self) -> None:
        entry, _ = self._entry()
        self._reply(200, entry.data, {"Content-Type": "application/octet-stream"})

    def _entry(self) -> tuple[Entry, dict[str, list[str]]]:
        address = urlsplit(self.path)
        number = int(address.path.rsplit("/", 1)[1])
        return self.server.service.entries[number], parse_qs(address.query)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the tests print what they need."""
