"""The remote that the settings name, opened for each question and until its deadline."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from pytest_potmodels.addresses import shown
from pytest_potmodels.artifacts import ModelRequest, RemoteFile, ResolvedModel
from pytest_potmodels.store.remote.folder import Folder
from pytest_potmodels.store.remote.layout import HELD
from pytest_potmodels.store.remote.pulling import Pulling
from pytest_potmodels.store.supplying import Supply

#: Opens the folder at an address until a deadline (the network's).
Opening = Callable[[str, Any], AbstractContextManager[Folder]]
#: Supplies, each with the word for what it brings.
Supplies = tuple[tuple[str, Supply], ...]


class Remote:
    """What is asked before the source; without an address it has nothing."""

    def __init__(self, url: str | None, opening: Opening) -> None:
        self._url = url or ""
        self._opening = opening

    def find(self, request: ModelRequest, deadline: Any) -> ResolvedModel | None:
        """The files of a model as its manifest names them; see `Pulling.find`."""
        if not self._url:
            return None
        with self._opening(self._url, deadline) as folder:
            return Pulling(folder).find(request)

    def supplies(self, request: ModelRequest, resolved: ResolvedModel, deadline: Any) -> Supplies:
        """The files of a model that `find` found; see `Pulling.supply`."""
        return self._each(Pulling.supply, request, deadline) if resolved.remote else ()

    def lends(self, request: ModelRequest, deadline: Any) -> Supplies:
        """Files of a model that is mended; see `Pulling.lend`."""
        asked = self._url and request.id.source in HELD
        return self._each(Pulling.lend, request, deadline) if asked else ()

    def _each(
        self,
        how: Callable[[Pulling, Sequence[RemoteFile], Path, str], None],
        request: ModelRequest,
        deadline: Any,
    ) -> Supplies:
        def pull(files: Sequence[RemoteFile], stage: Path) -> None:
            with self._opening(self._url, deadline) as folder:
                how(Pulling(folder), files, stage, request.asked)

        name = shown(self._url) if "://" in self._url else self._url
        return ((f"remote {name}", pull),)
