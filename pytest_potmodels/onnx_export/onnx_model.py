"""An ONNX file that may be handed out, and all that is known of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.digests import digest_of_files
from pytest_potmodels.store.derived import DerivedModel, MadeFrom


@dataclass(frozen=True)
class OnnxInput:
    """An input or output: an axis is its size, or its name where it may have any."""

    name: str
    dtype: str
    axes: tuple[str | int, ...]


@dataclass(frozen=True)
class OutputError:
    """How far an output was from the model's, at worst; `relative` to its largest value."""

    absolute: float
    relative: float


@dataclass(frozen=True)
class Tried:
    """A strategy that did not lead to a file, and why."""

    rung: str
    #: What went wrong: "export", "gate", "died", "memory".
    kind: str
    why: str

    def __str__(self) -> str:
        return f"{self.rung}: {self.why}"


@dataclass(frozen=True, eq=False)
class OnnxModel:
    """A file that has passed the gate, as its manifest tells it."""

    key: str
    #: The folder in `derived/`.
    path: Path
    file: Path
    inputs: tuple[OnnxInput, ...]
    outputs: tuple[OnnxInput, ...]
    opset: int
    #: The strategy that made it.
    rung: str
    #: The family whose recipe it was made by.
    recipe: str
    errors: Mapping[str, OutputError]
    tolerance: float
    #: The sizes of the free axes at which it was compared, the example's first.
    shapes: tuple[Mapping[str, int], ...]
    tried: tuple[Tried, ...]
    versions: Mapping[str, str]
    source: Literal["converted", "original"]
    #: One sha256 over the files.
    digest: str
    derived_from: MadeFrom
    size: int
    #: Whether this call made it.
    fresh: bool = False

    @property
    def worst(self) -> float:
        """The largest relative error of all outputs; 0 for one that nothing was compared with."""
        return max((each.relative for each in self.errors.values()), default=0.0)


def from_derived(derived: DerivedModel, stored: StoredModel, *, fresh: bool = False) -> OnnxModel:
    """The model that a derived folder holds.

    Raises:
        KeyError, TypeError, ValueError: its facts are not those of an export.
    """
    facts = derived.facts
    own = facts["own"]
    files = [each for each in stored.files if each.path.startswith(own)] if own else derived.files
    if not files:
        raise ValueError(f"{own or 'the model'} is no file of {derived}")
    return OnnxModel(
        key=derived.key,
        path=derived.path,
        file=stored.path / own if own else derived.path / facts["file"],
        inputs=tuple(map(_tensor, facts["inputs"])),
        outputs=tuple(map(_tensor, facts["outputs"])),
        opset=facts["opset"],
        rung=facts["rung"],
        recipe=facts["recipe"],
        errors={name: OutputError(**each) for name, each in facts["errors"].items()},
        tolerance=facts["tolerance"],
        shapes=tuple(facts["shapes"]),
        tried=tuple(Tried(**each) for each in facts["tried"]),
        versions=derived.versions,
        source="original" if own else "converted",
        digest=digest_of_files({each.path: each.sha256 for each in files}),
        derived_from=derived.made_from,
        size=sum(each.size for each in files),
        fresh=fresh,
    )


def _tensor(said: Mapping[str, Any]) -> OnnxInput:
    return OnnxInput(said["name"], said["dtype"], tuple(said["axes"]))
