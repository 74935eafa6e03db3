"""How it went with one file; the same on this side of a process and on the other, as JSON too."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, cast

from pytest_potmodels import errors
from pytest_potmodels.errors import ModelVerificationError, PotModelsError
from pytest_potmodels.verification.wanted import Wanted

Source = Literal["original", "converted"]


@dataclass(frozen=True)
class Problem:
    """An error as a value: it goes through files and between machines."""

    kind: str
    message: str
    remedy: str = ""
    reason: str = ""
    exit_code: int = 70
    tried: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verification:
    """A file that is there and has passed, or why there is none."""

    wanted: Wanted
    #: The file; None where there is none.
    path: Path | None = None
    #: From the hub as it is, or exported here from PyTorch.
    source: Source | None = None
    model_type: str = ""
    #: Which rule told the type.
    detected_by: str = "none"
    revision: str | None = None
    #: One sha256 over the file and its weights.
    digest: str = ""
    size: int = 0
    opset: int = 0
    #: The strategy of the export, and its largest relative error; "original" and 0 as it is.
    rung: str = ""
    worst_error: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    problem: Problem | None = None

    @property
    def ok(self) -> bool:
        """Whether there is a file."""
        return self.problem is None

    @property
    def was_converted(self) -> bool:
        """Whether it was exported here."""
        return self.source == "converted"

    def as_json(self) -> dict[str, Any]:
        """Plain values; `from_json` takes them back."""
        said = asdict(self)
        wanted = said.pop("wanted")
        path = str(self.path) if self.path else None
        status = "ok" if self.ok else "failed"
        return {
            **wanted, "asked_type": self.wanted.model_type, "status": status,
            **said, "path": path, "was_converted": self.was_converted if self.ok else None,
        }  # fmt: skip


def from_json(said: Mapping[str, Any]) -> Verification:
    """A verification as it was before `as_json`."""
    facts = dict(said)
    wanted = Wanted(facts.pop("model_id"), facts.pop("file_path"), facts.pop("asked_type"))
    for told in ("status", "was_converted"):
        facts.pop(told)
    path, problem = facts.pop("path"), facts.pop("problem")
    made = Problem(**{**problem, "tried": tuple(problem["tried"])}) if problem else None
    return Verification(wanted, Path(path) if path else None, problem=made, **facts)


def failed(wanted: Wanted, error: BaseException, seconds: float = 0.0) -> Verification:
    """The outcome of what ended in an error."""
    return Verification(wanted, seconds=seconds, problem=problem_of(error))


def problem_of(error: BaseException) -> Problem:
    """An error as a value."""
    if isinstance(error, PotModelsError):
        return Problem(
            type(error).__name__, error.message, error.remedy,
            str(getattr(error, "reason", "")), error.exit_code,
            tuple(getattr(error, "tried", ())),
        )  # fmt: skip
    return Problem(type(error).__name__, f"{type(error).__name__}: {error}")


def error_of(problem: Problem) -> PotModelsError:
    """An error again, of the same class where it is one of ours."""
    named = getattr(errors, problem.kind, None)
    ours = isinstance(named, type) and issubclass(named, PotModelsError)
    kind = cast(type[PotModelsError], named) if ours else ModelVerificationError
    made = kind.__new__(kind)
    PotModelsError.__init__(made, problem.message, remedy=problem.remedy)
    vars(made).update(tried=problem.tried, expected="", found="")
    if problem.reason:
        vars(made)["reason"] = errors.Reason(problem.reason)
    return made
