"""LUT networks of this machine: `lut:digits_small`, this package's own or the user's."""

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_potmodels import lut
from pytest_potmodels.artifacts import ModelRequest, ResolvedModel
from pytest_potmodels.errors import LUTWeightsError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.lut import pretrained_files
from pytest_potmodels.sources.base import SourceContext
from pytest_potmodels.sources.folders import remote_files

if TYPE_CHECKING:
    from pytest_potmodels.transfer import Deadline

_OURS = Path(lut.__file__).parent


class LutSource:
    """YAML, weights and hardened form of a network, used where they lie."""

    def __init__(self, _context: SourceContext) -> None:
        """Take nothing: which folders are searched is the same for everybody here."""

    def resolve(
        self,
        model_id: ModelId,
        request: ModelRequest,  # noqa: ARG002 - the name alone says which
        deadline: "Deadline",  # noqa: ARG002 - no network, nothing to wait for
    ) -> ResolvedModel:
        """Name the files; there is no revision but their digest.

        Raises:
            LUTNameError: there is no network of that name.
            LUTWeightsError: its YAML is here, and nobody has trained it.
        """
        found = pretrained_files.find(model_id.name)
        folder = found.folder.absolute()
        if found.weights is None:
            raise LUTWeightsError(
                f"{model_id}: {folder / found.config.name} has no weights beside it.",
                remedy=f"train it: potmodels lut train {model_id.name}",
            )
        files = (found.config, found.weights, found.hardened)
        ours = _OURS in folder.parents
        return ResolvedModel(
            id=model_id,
            kind="lut",
            format="lut",
            files=remote_files(folder, [file.name for file in files if file is not None]),
            origin="package pytest-potmodels" if ours else folder.as_uri(),
            license="Apache-2.0" if ours else "unknown",
            in_place=folder,
        )
