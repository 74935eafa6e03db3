"""From a remote's URL to what lies there: schemes, packages, and credentials that stay in here."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from pytest_potmodels.addresses import Secret, shown
from pytest_potmodels.errors import MissingPackageError, UsageError
from pytest_potmodels.transfer.remote.backends import Backend, FsspecFolder, SharedFolder

#: Their objects appear whole, and a second one of a name replaces the first at once.
_OBJECT_STORES = frozenset(
    {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "hf", "oci", "oss", "tos", "memory"}
)
_S3 = frozenset({"s3", "s3a"})
#: One part of 50 MB in memory per object that moves, not ten; no look into old listings.
_S3_OPTIONS: Mapping[str, Any] = MappingProxyType(
    {"max_concurrency": 1, "use_listings_cache": False}
)
#: The length from which the user in a URL is taken for the id of a key.
_KEY_LIKE = 8


def open_backend(url: str) -> Backend:
    """What lies at a remote's URL; nothing is asked of it yet, as far as fsspec lets it be.

    Raises:
        MissingPackageError: a package for this scheme is not installed.
        UsageError: a scheme that fsspec does not know, or an address that it cannot read.
    """
    scheme, separator, _ = url.partition("://")
    if not separator:
        return SharedFolder(Path(url))
    if scheme in ("file", "local"):
        return SharedFolder(_path_of(url))
    import fsspec  # noqa: PLC0415 - a start without a remote does not pay for it

    address, options = _without_keys(url) if scheme in _S3 else (url, {})
    try:
        files, root = fsspec.url_to_fs(address, **options)
    except ImportError as error:
        raise _missing(scheme, url, error) from None
    except ValueError as error:
        why = without_credentials(str(error), url)
        raise UsageError(f"The remote {name_of(url)} cannot be opened: {why}.") from None
    return FsspecFolder(files, root, renames=scheme not in _OBJECT_STORES)


def name_of(url: str) -> str:
    """What a remote is called in messages: a path as it is, a URL without credentials."""
    return shown(url) if "://" in url else url


def without_credentials(text: str, url: str) -> str:
    """What a library said about a URL, without the user and password that are in it."""
    named = urlsplit(url).netloc.rpartition("@")[0] if "://" in url else ""
    user, _, password = named.partition(":")
    secrets = {named, password, unquote(password)}
    # A key's id is worth hiding; a short name would turn up in the middle of words.
    secrets |= {user, unquote(user)} if len(user) >= _KEY_LIKE else set()
    for secret in sorted(secrets - {""}, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def _path_of(url: str) -> Path:
    path = unquote(urlsplit(url).path)
    # `file:///C:/models`: a drive has no slash before it.
    return Path(path[1:] if re.match(r"/[A-Za-z]:", path) else path)


def _without_keys(url: str) -> tuple[str, dict[str, Any]]:
    """`s3://KEY:SECRET@bucket`: s3fs would take all before the slash for the bucket."""
    parts = urlsplit(url)
    named, _, bucket = parts.netloc.rpartition("@")
    key, _, secret = named.partition(":")
    given = {"key": Secret(unquote(key)), "secret": Secret(unquote(secret))} if named else {}
    return urlunsplit(parts._replace(netloc=bucket)), {**_S3_OPTIONS, **given}


def _missing(scheme: str, url: str, error: ImportError) -> MissingPackageError:
    cause = error.__cause__
    package = getattr(cause, "name", None) or ""
    broken = "" if isinstance(cause, ModuleNotFoundError) else f" ({cause or error})"
    remedy = f"pip install {package.partition('.')[0]}" if package else str(error)
    if scheme in _S3:
        remedy = "pip install 'pytest-potmodels[s3]'"
    return MissingPackageError(
        f"The remote {name_of(url)} needs a Python package: {error}{broken}.", remedy=remedy
    )
