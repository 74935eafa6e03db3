"""A reply as a value: what to send, and where to break off; ranges are cut here."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class Interruption:
    """A pause of `seconds` (None: until the site closes) after `at` bytes of the body.

    `at=None` pauses before the status line. Then the reply goes on, or the connection closes.
    """

    at: int | None
    seconds: float | None = 0
    goes_on: bool = False


@dataclass(frozen=True)
class Reply:
    """A whole reply; Content-Length is always that of `body`."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    #: A file's content, which ranges and faults of the body apply to.
    is_file: bool = False
    serves_ranges: bool = True
    interruption: Interruption | None = None
    #: Bytes of the body that go out in a second; None: as fast as they are taken.
    pace: float | None = None

    def with_headers(self, headers: Mapping[str, str]) -> "Reply":
        """The same reply with headers added or replaced."""
        return replace(self, headers={**self.headers, **headers})


def file_reply(data: bytes, etag: str, headers: Mapping[str, str] | None = None) -> Reply:
    """A file with its entity tag, in full; `cut_to_range` cuts it."""
    own = {"ETag": f'"{etag}"', "Content-Type": "application/octet-stream"}
    return Reply(200, {**own, **(headers or {})}, data, is_file=True)


def redirect(status: int, location: str, headers: Mapping[str, str] | None = None) -> Reply:
    """A redirect; `location` as it is sent."""
    return Reply(status, {"Location": location, **(headers or {})})


def json_reply(value: Any) -> Reply:
    """A document of the hub's API."""
    return Reply(200, {"Content-Type": "application/json"}, json.dumps(value).encode())


def refusal(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Reply:
    """An error as the hub words it: X-Error-Code, X-Error-Message and a JSON body."""
    coded = {"X-Error-Code": code} if code else {}
    own = {"X-Error-Message": message, "Content-Type": "application/json", **coded}
    return Reply(status, {**own, **(headers or {})}, json.dumps({"error": message}).encode())


def cut_to_range(reply: Reply, asked: Mapping[str, str]) -> Reply:
    """Answer a Range header: 206 with the part, 416 beyond the end, 200 if it does not apply."""
    if not (reply.is_file and reply.status == 200 and reply.serves_ranges):
        return reply
    reply = reply.with_headers({"Accept-Ranges": "bytes"})
    match = _RANGE.fullmatch(asked.get("range", ""))
    changed = asked.get("if-range", reply.headers.get("ETag")) != reply.headers.get("ETag")
    if match is None or match.group() == "bytes=-" or changed:
        return reply
    first, last = _bounds(match.group(1), match.group(2), len(reply.body))
    total = len(reply.body)
    if first >= total or last < first:
        return Reply(416, {"Content-Range": f"bytes */{total}"})
    part = replace(reply, status=206, body=reply.body[first : last + 1])
    return part.with_headers({"Content-Range": f"bytes {first}-{last}/{total}"})


def _bounds(first: str, last: str, total: int) -> tuple[int, int]:
    if not first:  # `bytes=-500` is the last 500
        return max(total - int(last), 0), total - 1
    return int(first), min(int(last), total - 1) if last else total - 1
