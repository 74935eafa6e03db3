"""Stand-ins by name: `mock:vision`, `mock:language`, `mock:lut`. They have no files to fetch."""

from typing import TYPE_CHECKING, get_args

from pytest_potmodels.artifacts import Kind, ModelRequest, ResolvedModel
from pytest_potmodels.errors import UnknownNameError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.sources.base import SourceContext

if TYPE_CHECKING:
    from pytest_potmodels.transfer import Deadline

_KINDS: tuple[Kind, ...] = get_args(Kind)


class MockSource:
    """The stand-ins of `mocks`."""

    def __init__(self, context: SourceContext) -> None:
        self._context = context

    def resolve(
        self,
        model_id: ModelId,
        request: ModelRequest,  # noqa: ARG002 - the name alone says which
        deadline: "Deadline",  # noqa: ARG002 - nothing is waited for
    ) -> ResolvedModel:
        """Answer with no files.

        Raises:
            UnknownNameError: neither vision, language nor lut.
        """
        for kind in _KINDS:
            if model_id.name == kind:
                return ResolvedModel(
                    id=model_id,
                    kind=kind,
                    format="mock",
                    origin="built in",
                    license="Apache-2.0",
                )
        raise UnknownNameError("mock", model_id.name, _KINDS)
