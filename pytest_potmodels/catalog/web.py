"""Models by URL: `url:https://host/model.pth#sha256=HEX&architecture=resnet18`, as pip has it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pytest_potmodels import addresses
from pytest_potmodels.addresses import Secret
from pytest_potmodels.catalog.torchvision_weights import architectures
from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.identifiers import ModelId, checked

#: What a fragment may say of the file behind a URL.
FRAGMENT_KEYS = ("sha256", "architecture")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SOURCE = re.compile(r"url:(?!$)", re.IGNORECASE)


@dataclass(frozen=True)
class Written:
    """A URL as somebody wrote it for a model."""

    id: ModelId
    sha256: str | None = None
    architecture: str | None = None
    #: The URL to ask, where it has credentials or signatures: no name has them.
    address: Secret | None = field(default=None, repr=False)


def read(text: str) -> Written | None:
    """Take a URL apart, with or without `url:` before it; None for what is none.

    Raises:
        UnknownNameError: a key of the fragment that does not exist, or an unknown network.
        UsageError: not the https:// URL of something on a host, or a malformed sha256.
    """
    text = text.strip()
    source = _SOURCE.match(text)
    if source is None and not addresses.is_web(text):
        return None
    url, _, fragment = (text[source.end() :] if source else text).partition("#")
    try:
        name = addresses.plain(url)
    except ValueError as error:
        raise _no_url(text) from error
    model_id = checked(ModelId("url", name))
    said = _fragment(model_id, fragment)
    return Written(
        model_id,
        checked_sha256(said["sha256"], f"{model_id}#") if "sha256" in said else None,
        checked_architecture(said["architecture"]) if "architecture" in said else None,
        Secret(url) if addresses.without_secrets(url) != url else None,
    )


def read_keys(url: str, table: Mapping[str, str]) -> Written:
    """A URL of a table whose keys may say what a fragment says.

    Raises:
        UsageError: as `read`; also where both say it, and differ.
    """
    written = read(f"url:{url.strip().removeprefix('url:')}")
    assert written is not None  # noqa: S101 - `url:` is no other source
    sha256, architecture = table.get("sha256"), table.get("architecture")
    if sha256 is not None:
        sha256 = _agreed("sha256", written.sha256, checked_sha256(sha256, ""))
    if architecture is not None:
        known = checked_architecture(architecture)
        architecture = _agreed("architecture", written.architecture, known)
    return replace(
        written,
        sha256=sha256 or written.sha256,
        architecture=architecture or written.architecture,
    )


def _agreed(key: str, in_url: str | None, in_table: str) -> str:
    if in_url not in (None, in_table):
        raise UsageError(f"`{key}` is not what the URL's fragment says.", remedy="keep one")
    return in_table


def checked_sha256(text: str, where: str) -> str:
    """A sha256 in lower case.

    Raises:
        UsageError: not 64 hex digits.
    """
    if not _SHA256.fullmatch(text.lower()):
        found = f"{len(text)} characters" if text.isalnum() else repr(text)
        raise UsageError(
            f"{where}sha256 takes 64 hex digits, found {found}.",
            remedy="sha256sum FILE prints them",
        )
    return text.lower()


def checked_architecture(name: str) -> str:
    """The name of a torchvision network.

    Raises:
        UnknownNameError: another one, with close matches.
    """
    known = architectures()
    if name not in known:
        remedy = "potmodels catalog lists the torchvision architectures"
        raise UnknownNameError("torchvision architecture", name, known, remedy=remedy)
    return name


def _no_url(text: str) -> UsageError:
    shown = addresses.displayed(text)
    in_words = "; in a user or password / ? # are written %2F %3F %23" if "@" in text else ""
    return UsageError(
        f"{shown!r} is not a well-formed url name.",
        remedy=f"write url:https://HOST/PATH{in_words}",
    )


def _fragment(model_id: ModelId, fragment: str) -> Mapping[str, str]:
    said: dict[str, str] = {}
    for part in fragment.split("&") if fragment else ():
        key, _, value = part.partition("=")
        if key not in FRAGMENT_KEYS:
            remedy = f"write {model_id}#sha256=HEX, or #sha256=HEX&architecture=resnet18"
            raise UnknownNameError("key of a fragment", key, FRAGMENT_KEYS, remedy=remedy)
        if key in said:
            raise UsageError(f"{model_id}#...: {key} is given twice.", remedy="keep one")
        said[key] = value
    return said
