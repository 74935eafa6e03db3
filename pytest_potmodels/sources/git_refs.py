"""Which commit a branch or tag is: git's own list of refs, in one request and without an API.

GitHub's API would answer with less, but sixty times an hour for all who share an address.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pytest_potmodels.errors import Reason, UnavailableError, close_matches

if TYPE_CHECKING:
    from pytest_potmodels.transfer import Deadline, Transfer

_log = logging.getLogger(__name__)

#: The largest lists known (a hundred thousand pull requests) have 20 MB.
_MOST = 100 * 1000**2
_SERVICE = b"# service=git-upload-pack"
_REF = re.compile(rb"([0-9a-f]{40}) ([^\x00\n]+)")
#: A tag that is an object of its own; behind this name is the commit.
_PEELED = "^{}"
#: Pull requests are refs, too: of strangers' code under the name of the repository.
_OURS = ("refs/heads/", "refs/tags/")


def commit_of(
    repository: str, ref: str | None, transfer: "Transfer", deadline: "Deadline"
) -> tuple[str, str]:
    """The commit of a branch or tag of `https://github.com/OWNER/REPO`, and what kind of ref it is.

    Without a ref: of the default branch. Where a branch and a tag have one name it is the branch,
    as for torch.hub.

    Raises:
        UnavailableError: PRIVATE, UNKNOWN_REVISION, or why the host cannot be asked.
    """
    url = f"{repository}.git/info/refs?service=git-upload-pack"
    is_default = ref in (None, "HEAD")
    try:
        body = transfer.read(url, deadline, most=_MOST, enough=_has_head if is_default else None)
        refs = read_refs(body, whole=not is_default)
    except ValueError as error:
        raise _not_git(repository, str(error)) from error
    except UnavailableError as error:
        if error.reason in (Reason.PRIVATE, Reason.UNKNOWN_MODEL):
            raise _no_repository(repository, error) from error
        raise
    if is_default:
        if "HEAD" not in refs:
            raise _unknown(repository, "default branch with a commit", refs)
        return refs["HEAD"], "HEAD"
    return _named(repository, str(ref), refs)


def read_refs(body: bytes, *, whole: bool) -> Mapping[str, str]:
    """The refs of an advertisement, each with its commit or tag object; `name^{}` is peeled.

    Raises:
        ValueError: it is none, or (if `whole`) not whole.
    """
    lines = _lines(body, whole=whole)
    if next(lines, b"").strip() != _SERVICE:
        raise ValueError("it does not begin as git's list of refs")
    found = (_REF.match(line) for line in lines)
    return {match[2].decode("utf-8", "replace"): match[1].decode() for match in found if match}


def _lines(body: bytes, *, whole: bool) -> Iterator[bytes]:
    """The lines of git's framing: four hex digits are each one's length with themselves."""
    at = flushes = 0
    while flushes < 2:  # noqa: PLR2004 - one behind the service's name, one at the end
        try:
            length = int(body[at : at + 4], 16)
        except ValueError:
            length = -1
        if length == 0:
            flushes, at = flushes + 1, at + 4
            continue
        if length < 4 or at + length > len(body):  # noqa: PLR2004 - the digits themselves
            if whole or length in range(1, 4):
                raise ValueError("its list of refs breaks off")
            return
        yield body[at + 4 : at + length]
        at += length


def _has_head(body: bytes) -> bool:
    return b" HEAD\0" in body


def _named(repository: str, ref: str, refs: Mapping[str, str]) -> tuple[str, str]:
    full = [ref] if ref.startswith(_OURS) else [prefix + ref for prefix in _OURS]
    found = {name: refs.get(name + _PEELED, refs[name]) for name in full if name in refs}
    if not found:
        raise _unknown(repository, repr(ref), refs)
    name, commit = next(iter(found.items()))
    if len(set(found.values())) > 1:
        _log.warning(
            "%s: %s is a branch and a tag; the branch is taken; for the tag write refs/tags/%s",
            *(repository, ref, ref),
        )
    return commit, name


def _unknown(repository: str, what: str, refs: Mapping[str, str]) -> UnavailableError:
    names = {name.split("/", 2)[2] for name in refs if name.startswith(_OURS)}
    near = close_matches(what.strip("'"), {name.removesuffix(_PEELED) for name in names})
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    return UnavailableError(
        f"{repository} has no {what}.{meant}",
        reason=Reason.UNKNOWN_REVISION,
        remedy="name a branch or tag of it, or all 40 digits of a commit",
    )


def _no_repository(repository: str, error: UnavailableError) -> UnavailableError:
    return UnavailableError(
        f"{repository}: there is no such repository, or it is private ({error.message})",
        reason=Reason.PRIVATE,
        remedy="check the name; no password or token is sent to a git server",
    )


def _not_git(repository: str, why: str) -> UnavailableError:
    return UnavailableError(
        f"{repository}: what answered does not speak as a git server does: {why}.",
        reason=Reason.SERVER,
        remedy="check --pot-mirror, and whether a login page sits on the network",
    )
