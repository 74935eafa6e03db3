"""PyTorch Hub: a GitHub repository whose `hubconf.py` makes a model and fetches its weights."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import quote

from pytest_potmodels import extras
from pytest_potmodels.artifacts import ModelRequest, RemoteFile, ResolvedModel, StoredFile
from pytest_potmodels.digests import hash_file
from pytest_potmodels.errors import DigestMismatchError, Reason, UnavailableError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.settings.trust import require_trust
from pytest_potmodels.sources import git_refs
from pytest_potmodels.sources.base import SourceContext
from pytest_potmodels.sources.finishing import Check
from pytest_potmodels.sources.hub_process import HubProcess
from pytest_potmodels.store.unpack import unpack

if TYPE_CHECKING:
    from pytest_potmodels.transfer import Deadline

_GITHUB, _ARCHIVES = "https://github.com", "https://codeload.github.com"
_COMMIT = re.compile(r"[0-9a-f]{40}")
#: In the stage only; of the entry it is no part.
_ARCHIVE = PurePosixPath("archive.zip")
#: The folder of the entry that holds the repository.
_CODE = "code"


class TorchHubSource:
    """Entry points of repositories on GitHub."""

    def __init__(self, context: SourceContext) -> None:
        self._context = context

    def resolve(
        self, model_id: ModelId, request: ModelRequest, deadline: "Deadline"
    ) -> ResolvedModel:
        """Pin the ref to its commit; the one file is the repository's archive at that commit.

        A commit is taken as it is written, and nothing is asked.

        Raises:
            UnavailableError: no such repository or ref; NOT_TRUSTED: its code may not run.
        """
        repository, _, entry = model_id.name.rpartition("/")
        commit, page = model_id.revision or "", f"{_GITHUB}/{repository}"
        if not _COMMIT.fullmatch(commit):
            commit, _ = git_refs.commit_of(
                page, model_id.revision, self._context.transfer, deadline
            )
        require_trust(self._context.trust, model_id, commit)
        return ResolvedModel(
            id=model_id,
            kind=request.kind,
            format="torch_hub",
            files=(RemoteFile(_ARCHIVE, f"{_ARCHIVES}/{repository}/zip/{commit}"),),
            revision=commit,
            architecture=entry,
            origin=page,
        )

    def finish(
        self,
        resolved: ResolvedModel,
        stage: Path,
        files: Sequence[StoredFile],
        deadline: "Deadline",
        check: Check,
    ) -> tuple[StoredFile, ...]:
        """Unpack the archive and run the entry point once, so that it fetches its weights.

        Raises:
            UnavailableError: NOT_TRUSTED; or the archive is refused, or its code fails.
            DigestMismatchError: the archive is of another commit, or its code changed itself.
        """
        archive = next((file for file in files if file.path == str(_ARCHIVE)), None)
        if archive is None:
            return tuple(files)  # All of the model came from a remote.
        require_trust(self._context.trust, resolved.id, resolved.revision or "")
        extras.require_installed("torch")
        code = self._unpacked(resolved, stage, archive)
        check(code)  # Before it runs: what is not what was locked, nobody has agreed to.
        process = HubProcess(resolved, stage, self._context.transfer, deadline)
        fetched = process.run(beside=sum(file.size for file in code))
        for file in (*code, *fetched):
            _require_unchanged(resolved, stage, file)
        return (*code, *fetched)

    def _unpacked(
        self, resolved: ResolvedModel, stage: Path, archive: StoredFile
    ) -> tuple[StoredFile, ...]:
        out = unpack(stage / _ARCHIVE, stage / _CODE)
        if _COMMIT.fullmatch(out.comment) and out.comment != resolved.revision:
            raise DigestMismatchError(
                f"{resolved.id}: the archive from {archive.url} is of another commit: "
                f"expected {resolved.revision}, found {out.comment}.",
                expected=str(resolved.revision),
                found=out.comment,
                remedy="check the mirrors (--pot-mirror)",
            )
        if "hubconf.py" not in {file.path for file in out.files}:
            raise UnavailableError(
                f"{resolved.origin} has no hubconf.py at commit {resolved.revision}: it publishes "
                "no models for PyTorch Hub.",
                reason=Reason.UNKNOWN_MODEL,
                remedy="check the name, or name a branch or tag that has one",
            )
        return tuple(
            replace(file, path=f"{_CODE}/{file.path}", url=f"{archive.url}#{quote(file.path)}")
            for file in out.files
        )


def _require_unchanged(resolved: ResolvedModel, stage: Path, file: StoredFile) -> None:
    path = stage / file.path
    # A folder may have become a link, too, and what that leads to is not the model's.
    plain = path.is_file() and path.resolve() == stage.resolve() / file.path
    found = hash_file(path).sha256 if plain else "no such file"
    if found != file.sha256:
        raise DigestMismatchError(
            f"{resolved.id}: its code changed {file.path} of the model when it ran: expected "
            f"sha256 {file.sha256}, found {found}.",
            expected=file.sha256,
            found=found,
            remedy="ask whoever publishes it, or name another revision",
        )
