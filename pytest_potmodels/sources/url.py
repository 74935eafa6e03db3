"""One file by its URL: `url:https://host/model.pth#sha256=HEX`."""

import hashlib
import re
import unicodedata
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pytest_potmodels.artifacts import ModelRequest, RemoteFile, ResolvedModel
from pytest_potmodels.digests import Digest
from pytest_potmodels.errors import UsageError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.sources.base import SourceContext
from pytest_potmodels.store.layout import checked_label
from pytest_potmodels.transfer import places
from pytest_potmodels.transfer.mirrors import Mirrors
from pytest_potmodels.transfer.urls import is_loopback, origin, shown

if TYPE_CHECKING:
    from pytest_potmodels.transfer import Deadline

_UNUSUAL = re.compile(r"[^\w.+-]")
#: In UTF-8, with room for the suffixes of parts in the 143 bytes that some file systems allow.
_LONGEST = 100


class UrlSource:
    """Files on any host, asked for over https."""

    def __init__(self, context: SourceContext) -> None:
        self._transfer = context.transfer

    def resolve(
        self,
        model_id: ModelId,
        request: ModelRequest,
        deadline: "Deadline",  # noqa: ARG002 - what is behind a URL shows when it is fetched
    ) -> ResolvedModel:
        """Name the one file; its digest is what was promised of it, if anything was.

        Raises:
            UsageError: plain http, a URL that names no file, or a label that is no folder name.
        """
        name = file_name(model_id)
        return ResolvedModel(
            id=model_id,
            kind=request.kind,
            format="onnx" if name.lower().endswith(".onnx") else "weights",
            files=(
                RemoteFile(
                    path=PurePosixPath(name),
                    url=self._address(model_id, request),
                    digests=(Digest("sha256", request.sha256),) if request.sha256 else (),
                ),
            ),
            origin=_site(model_id.name),
            label=None if request.label is None else checked_label(request.label),
        )

    def _address(self, model_id: ModelId, request: ModelRequest) -> str:
        """The URL to ask: with the credentials that belong to its host, but not to a mirror."""
        url = model_id.name
        if Mirrors(self._transfer.policy.mirrors).route(url).mirrored:
            return url
        if origin(url).scheme == "https" or is_loopback(url):
            return request.address or url
        raise UsageError(
            f"{shown(url)!r} is plain http: who sits on the way can send another file.",
            remedy="write https://, or say where the file comes from instead: "
            f"--pot-mirror {_site(url)}=https://HOST",
        )


def _site(url: str) -> str:
    at = origin(url)
    return f"{at.scheme}://{at.place}"


def file_name(model_id: ModelId) -> str:
    """The name of the file in its folder: the last part of the URL's path, safe on every system.

    Raises:
        UsageError: there is none, or it has a separator in disguise.
    """
    last = urlsplit(model_id.name).path.rpartition("/")[2]
    name = unicodedata.normalize("NFC", unquote(last))
    if re.search(r"[/\\\x00-\x1f]", name):
        raise UsageError(
            f"{shown(model_id.name)!r}: {last!r} hides a path, and is no file name.",
            remedy="give the URL of the file itself",
        )
    safe = _UNUSUAL.sub("_", name).rstrip(".")
    if not safe.strip("._-+"):
        raise UsageError(
            f"{shown(model_id.name)!r} does not end in the name of a file.",
            remedy="give the URL of the file itself, such as https://HOST/model.pth",
        )
    return _fitting(f"_{safe}" if places.trouble(PurePosixPath(safe)) else safe)


def _fitting(name: str) -> str:
    """The name, or a shorter one that ends alike and is still of this file alone."""
    if len(name.encode()) <= _LONGEST:
        return name
    suffix = PurePosixPath(name).suffix[:16]
    told = hashlib.sha256(name.encode()).hexdigest()[:8]
    room = _LONGEST - len(f"-{told}{suffix}".encode())
    return f"{name.encode()[:room].decode(errors='ignore')}-{told}{suffix}"
