"""Files by URL on their way in: what was promised of them, and what follows if nothing was."""

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_potmodels.artifacts import ModelRequest, ResolvedModel, StoredModel
from pytest_potmodels.errors import DigestMismatchError
from pytest_potmodels.settings.values import Settings

if TYPE_CHECKING:
    from pytest_potmodels.transfer import Transfer

_log = logging.getLogger(__name__)


def transfer_for(request: ModelRequest, transfer: "Transfer", settings: Settings) -> "Transfer":
    """The network as a model's source may use it; certificates count unless settings say not."""
    if request.id.source != "url":
        return transfer
    if not settings.verify_ssl:
        origin = settings.origins.get("verify_ssl", "the configuration")
        _log.warning("%s: certificates are not checked (verify_ssl: false, %s)", request.id, origin)
    return transfer.at_large(verify_ssl=settings.verify_ssl)


def checked(request: ModelRequest, stored: StoredModel) -> StoredModel:
    """The stored model, if it is what is promised of the file behind the URL.

    Raises:
        DigestMismatchError: other bytes are stored, which another promise or the first use pinned.
    """
    promised = request.sha256
    found = {file.sha256 for file in stored.files}
    if promised is None or promised in found:
        return stored
    raise DigestMismatchError(
        f"{stored.id} is stored with other bytes than are asked for: expected sha256 {promised}, "
        f"found {', '.join(found)} in {stored.path}.",
        expected=promised,
        found=", ".join(found),
        remedy=f"correct the sha256 where it is written, or fetch anew what is there now: "
        f"potmodels download --force '{stored.id}#sha256={promised}'",
    )


def same_bytes(request: ModelRequest, stored: StoredModel) -> ModelRequest:
    """The request for the file that is stored: what is fetched in its place must be the same."""
    if request.id.source != "url" or not stored.files:
        return request
    return replace(request, sha256=stored.files[0].sha256)


def announce(resolved: ResolvedModel, before: StoredModel | None, stored: StoredModel) -> None:
    """Say that bytes nobody promised are taken for the right ones from now on."""
    if not _is_unpinned(resolved) or not stored.fresh:
        return
    pinned = f"{stored.id}#sha256={stored.files[0].sha256}"
    if before is None:
        _log.warning("%s is pinned at first use; to have it checked, write %s", stored.id, pinned)
    elif before.digest != stored.digest:
        was = before.files[0].sha256
        _log.warning(
            "%s has changed, and is pinned anew: it was %s, now %s", stored.id, was, pinned
        )
    else:
        _log.warning("%s was fetched anew, and is what it was: %s", stored.id, pinned)


def _is_unpinned(resolved: ResolvedModel) -> bool:
    return resolved.id.source == "url" and not any(file.digests for file in resolved.files)
