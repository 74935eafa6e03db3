"""A user's own weights by URL: the file's name, and what the URL promises about its bytes."""

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urldefrag, urlsplit

from pytest_potmodels.artifacts import RemoteFile
from pytest_potmodels.digests import Digest
from pytest_potmodels.errors import UsageError

_SHA256 = re.compile(r"[0-9a-f]{64}")
#: torch.hub's convention. Eight digits alone are as likely a date, and a wrong promise would
#: refuse a good file; one published name in forty is passed over for that.
_IN_NAME = re.compile(r"-(?=[0-9]*[a-f])([0-9a-f]{8,64})\.")
_FILE_NAME = re.compile(r"\w[\w.+-]*")


def weights_at(url: str) -> RemoteFile:
    """The file behind a URL; `#sha256=HEX` and a hash at the end of its name are its digests.

    Raises:
        UsageError: no http(s) URL of a file, or a fragment that is no sha256.
    """
    address, fragment = urldefrag(url)
    name = _file_name(url, address)
    promised = [*_of_fragment(url, fragment), *_of_name(name)]
    return RemoteFile(path=PurePosixPath(name), url=address, digests=tuple(promised))


def _file_name(url: str, address: str) -> str:
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"weights = {url!r} is no http:// or https:// URL.",
            remedy='for a file on this machine: source = "file", name = PATH, architecture = NAME',
        )
    name = PurePosixPath(unquote(parts.path)).name
    if not _FILE_NAME.fullmatch(name):
        raise UsageError(
            f"weights = {url!r} does not end in a file name (letters, digits, '.', '_', '+', '-').",
            remedy="give the URL of the weights file itself",
        )
    return name


def _of_fragment(url: str, fragment: str) -> list[Digest]:
    if not fragment:
        return []
    algorithm, _, value = fragment.partition("=")
    if algorithm != "sha256" or not _SHA256.fullmatch(value.lower()):
        raise UsageError(
            f"weights = {url!r}: expected #sha256= and 64 hex digits, found #{fragment}.",
            remedy="sha256sum FILE prints them",
        )
    return [Digest("sha256", value.lower())]


def _of_name(name: str) -> list[Digest]:
    found = _IN_NAME.search(name)
    return [Digest("sha256-prefix", found[1])] if found else []
