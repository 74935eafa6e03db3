"""Servers that know files only: the hub's CDN, and download.pytorch.org."""

import hashlib
from urllib.parse import parse_qs, quote, urlsplit

from standin.content import Blob
from standin.log import Request
from standin.replies import Reply, file_reply

_DENIED = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>'


class Cdn:
    """Blobs by sha256, behind links that are signed in their query."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}

    def add(self, blob: Blob) -> None:
        """Serve a blob."""
        self._blobs[blob.sha256] = blob.data

    def link(self, sha256: str, path: str) -> str:
        """Path and query of the signed link to a blob; the query names the file."""
        shown = quote(f'inline; filename="{path}";')
        signature = _signature(sha256)
        return f"/repos/{sha256}?response-content-disposition={shown}&Signature={signature}"

    def answer(self, request: Request) -> Reply:
        """The blob, if the link is whole."""
        parts = urlsplit(request.path)
        sha256 = parts.path.removeprefix("/repos/")
        signed = parse_qs(parts.query).get("Signature") == [_signature(sha256)]
        data = self._blobs.get(sha256)
        return file_reply(data, sha256) if signed and data is not None else _denied()


class Downloads:
    """Plain files by path."""

    def __init__(self) -> None:
        self._files: dict[str, bytes] = {}

    def add(self, path: str, data: bytes) -> None:
        """Serve a file at a path that starts with a slash."""
        self._files[path] = data

    def answer(self, request: Request) -> Reply:
        """The file; like S3 behind that host, 403 where there is none."""
        data = self._files.get(urlsplit(request.path).path)
        return _denied() if data is None else file_reply(data, _md5(data))


def _denied() -> Reply:
    return Reply(403, {"Content-Type": "application/xml"}, _DENIED)


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _signature(sha256: str) -> str:
    return hashlib.sha256(b"signed " + sha256.encode()).hexdigest()[:32]
