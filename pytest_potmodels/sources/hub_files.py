"""The files that an entry point asks for: by the rules of all transfers, into the stage."""

import re
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urldefrag

from pytest_potmodels.addresses import is_web, shown
from pytest_potmodels.artifacts import RemoteFile, ResolvedModel, StoredFile
from pytest_potmodels.digests import Digest
from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.store.adoption import Adoption
from pytest_potmodels.store.mending import Fetch
from pytest_potmodels.store.supplying import Supplied
from pytest_potmodels.transfer import places
from pytest_potmodels.transfer.mirrors import Mirrors
from pytest_potmodels.transfer.urls import is_loopback

if TYPE_CHECKING:
    from pytest_potmodels.transfer import Deadline, Transfer

#: torch.hub's convention. Eight digits alone are as likely a date.
_IN_NAME = re.compile(r"-(?=[0-9]*[a-f])([0-9a-f]{8,64})\.")
_PREFIX = re.compile(r"[0-9a-f]{1,64}")
#: The one folder beside the code.
CHECKPOINTS = "checkpoints"


class HubFiles:
    """Fetches one file after the other, each once."""

    def __init__(
        self,
        resolved: ResolvedModel,
        stage: Path,
        transfer: "Transfer",
        deadline: "Deadline",
        beside: int,
    ) -> None:
        self._resolved = resolved
        self._stage = stage
        # Whatever host it names: nobody vouches for it.
        self._transfer = transfer.at_large(verify_ssl=True)
        self._deadline = deadline
        self._size = beside
        self._files: dict[str, StoredFile] = {}

    def bring(self, url: str, path: str, prefix: str = "") -> None:
        """Fetch `url` to `path` in the stage; its sha256 begins with `prefix`, if that is given.

        Raises:
            UnavailableError: it cannot be had, or is more than may be fetched.
            DigestMismatchError: it is not what its name or the code says.
            StoreError: its name is no file name on some system, or is taken.
        """
        place = PurePosixPath(path)
        if place.parts[:1] != (CHECKPOINTS,) or place.name == CHECKPOINTS:
            raise self._refused(f"keeps a file at {path!r}, which is no place for weights")
        places.check_distinct({place, *map(PurePosixPath, self._files)})
        file = RemoteFile(place, self._checked(urldefrag(url).url), digests=_promised(path, prefix))
        (stored,) = self._fetch()([file], self._stage)
        self._size += stored.size
        self._files[path] = replace(stored, path=path)

    def _fetch(self) -> Fetch:
        fetch = partial(
            self._transfer.fetch_all,
            deadline=self._deadline,
            model=str(self._resolved.id),
            beside=self._size,
        )
        # torch.hub itself may have brought it before.
        return Supplied(fetch, (("adopted", Adoption(self._resolved)),))

    def all(self) -> tuple[StoredFile, ...]:
        """All that came."""
        return tuple(self._files.values())

    def _checked(self, url: str) -> str:
        """The URL, if it is one that others on the way cannot answer."""
        if is_web(url):
            mirrored = Mirrors(self._transfer.policy.mirrors).route(url).mirrored
            if url.lower().startswith("https:") or mirrored or is_loopback(url):
                return url
        raise self._refused(
            f"fetches {shown(url)!r}; files come by https://",
            ", or a mirror of that address: --pot-mirror http://HOST=https://HOST",
        )

    def _refused(self, what: str, also: str = "") -> UnavailableError:
        return UnavailableError(
            f"{self._resolved.id}: its code {what}.",
            reason=Reason.NOT_LOADABLE,
            remedy=f"name another revision{also}",
        )


def _promised(path: str, prefix: str) -> tuple[Digest, ...]:
    in_name = _IN_NAME.search(path.rpartition("/")[2])
    given = [prefix] if _PREFIX.fullmatch(prefix) else []
    promised = {*given, *([in_name[1]] if in_name else [])}
    return tuple(Digest("sha256-prefix", value) for value in sorted(promised))
