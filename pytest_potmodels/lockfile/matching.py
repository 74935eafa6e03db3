"""Which entry of a lock is meant by a request, under whatever name and revision."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pytest_potmodels.artifacts import ModelRequest
from pytest_potmodels.errors import DigestMismatchError
from pytest_potmodels.identifiers import REVISIONED
from pytest_potmodels.lockfile.entries import LockedModel, ref_of

#: Digits of a commit from which it is taken for one.
_SHORT_COMMIT = re.compile(r"[0-9a-f]{7,40}")


def of_model(request: ModelRequest, entries: Iterable[LockedModel]) -> list[LockedModel]:
    """The entries of the model that a request is about; own weights make another model."""
    own = request.weights is not None
    return [
        entry
        for entry in entries
        if entry.source == request.id.source
        and request.id.name in entry.ids
        and (entry.weights is not None) == own
    ]


def meant(request: ModelRequest, same: Sequence[LockedModel]) -> LockedModel | None:
    """Of the entries of one model the one at the revision that was asked for.

    Who names none means the only one there is: a lock is there to say which.
    """
    ref, revision = ref_of(request.id), request.id.revision
    for entry in same:
        if ref is not None and ref in (entry.ref, entry.revision):
            return entry
    if revision is None:
        return same[0] if len(same) == 1 and request.weights is None else None
    if _SHORT_COMMIT.fullmatch(revision):
        begun = [entry for entry in same if (entry.revision or "").startswith(revision)]
        return begun[0] if len(begun) == 1 else None
    return None


def check_promise(request: ModelRequest, entry: LockedModel) -> None:
    """Accept an entry that is what a request promises of the file behind its URL.

    Raises:
        DigestMismatchError: another digest is promised than is locked.
    """
    found = ", ".join(file.sha256 for file in entry.files)
    if request.sha256 is not None and request.sha256 != found:
        raise DigestMismatchError(
            f"{entry}: the lock has sha256 {found}, and {request.asked!r} asks for another.",
            expected=request.sha256,
            found=found,
            remedy=f"correct the sha256 where it is written, or take what is there now: "
            f"potmodels lock --update '{request.asked}'",
        )


def at_pin(request: ModelRequest, entry: LockedModel) -> ModelRequest:
    """The request at the revision of an entry, where its source has revisions to ask for."""
    moves = request.id.source in REVISIONED and request.weights is None
    if not moves or entry.revision is None:
        return request
    return replace(request, id=replace(request.id, revision=entry.revision))
