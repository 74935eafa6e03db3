"""The address of a remote, as somebody wrote it: a URL that fsspec knows, or a folder."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pytest_potmodels.addresses import Secret, shown
from pytest_potmodels.errors import UnknownNameError

#: In place of a remote: without one, also where a file names one.
WITHOUT_REMOTE = "none"
#: They are known without asking fsspec, which takes a moment to import.
_USUAL = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "file", "local", "memory"})
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


def read_remote(raw: Any, base: Path, where: str) -> str | None:
    """The URL or absolute path of a remote; relative paths start at `base`.

    Raises:
        UnknownNameError: a scheme that fsspec does not know, with close matches.
        ValueError: no address, or one that fsspec would take for something else.
    """
    if not isinstance(raw, str | Path) or not str(raw).strip():
        raise ValueError(f"{raw!r} is no remote; write s3://BUCKET/PREFIX or a folder.")
    text = str(raw).strip()
    if text == WITHOUT_REMOTE:
        return None
    if "::" in text and "://" in text:
        raise ValueError(f"{shown(text)!r} is a chain of file systems; write one URL.")
    found = _SCHEME.match(text)
    if found is None:
        return str(base / Path(text).expanduser())
    scheme = found[1].lower()
    _check_scheme(scheme, where)
    _check_rest(text, scheme)
    url = scheme + text[len(scheme) :].rstrip("/")
    return Secret(url) if "@" in urlsplit(url).netloc else url


def _check_scheme(scheme: str, where: str) -> None:
    if scheme in _USUAL:
        return
    from fsspec import available_protocols  # noqa: PLC0415 - only for a scheme that is not usual

    known = available_protocols()
    if scheme not in known:
        raise UnknownNameError(
            "scheme of a remote", scheme, known, where=where,
            remedy="write s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or a folder",
        )  # fmt: skip


def _check_rest(text: str, scheme: str) -> None:
    parts = urlsplit(text)
    if scheme in ("file", "local"):
        if parts.netloc not in ("", "localhost") or not parts.path.strip("/"):
            raise ValueError(f"{shown(text)!r} is no folder; write file:///PATH, or the path.")
    elif not (parts.netloc or parts.path.strip("/")) or not shown(text).partition("://")[2]:
        raise ValueError(f"{shown(text)!r} names no bucket or host.")
    elif parts.query or parts.fragment:
        raise ValueError(
            f"{shown(text)!r} has a query or a fragment, which is no part of a remote's address; "
            f"options of fsspec go into variables: FSSPEC_{scheme.upper()}_..."
        )
