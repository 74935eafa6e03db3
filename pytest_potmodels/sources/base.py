"""What every source answers, and what it is given to do so."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pytest_potmodels.artifacts import ModelRequest, Repository, ResolvedModel
from pytest_potmodels.identifiers import ModelId

if TYPE_CHECKING:
    from pytest_potmodels.transfer import Deadline, Transfer


@dataclass(frozen=True)
class SourceContext:
    """What sources need from outside; `root` is where relative `file:` paths start.

    `trust` are the repositories whose code may run.
    """

    transfer: "Transfer"
    endpoint: str
    root: Path = field(default_factory=Path)
    trust: tuple[str, ...] = ()


class Source(Protocol):
    """Answers which files a model is, from where, with which digests."""

    def resolve(
        self, model_id: ModelId, request: ModelRequest, deadline: "Deadline"
    ) -> ResolvedModel:
        """Name the files of a model at an immutable revision.

        Raises:
            UnavailableError: it cannot be had; the reason says why.
            UsageError: the name or the request cannot be meant.
        """


@runtime_checkable
class Describer(Source, Protocol):
    """A source that knows more of a model than the files that loading needs."""

    def describe(self, model_id: ModelId, deadline: "Deadline") -> Repository:
        """All files at the revision asked for, and what is known of the model.

        Raises:
            UnavailableError: it cannot be had; the reason says why.
        """
        ...
