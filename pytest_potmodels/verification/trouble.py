"""What went wrong on the way to a file, as one of the errors that this face promises."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from pytest_potmodels.errors import (
    MissingPackageError,
    ModelConnectionError,
    ModelConversionError,
    ModelFileNotFoundError,
    ModelVerificationError,
    NotLockedError,
    Reason,
    UnavailableError,
)
from pytest_potmodels.verification.wanted import Wanted

#: Whoever has the model was not heard, or may not be asked.
_UNHEARD = frozenset({Reason.OFFLINE, Reason.SERVER, Reason.TIMEOUT, Reason.NOT_CACHED})


@dataclass
class Attempt:
    """What was tried for one file, in order."""

    wanted: Wanted
    tried: list[str] = field(default_factory=list)

    def note(self, step: str) -> None:
        """One more."""
        self.tried.append(step)


@contextlib.contextmanager
def told_as_verification(attempt: Attempt) -> Iterator[None]:
    """Say which file was wanted and what was tried; the reason stays.

    A package that is absent, and a model beyond the lock, are no fault of the file's: these pass.

    Raises:
        ModelConnectionError, ModelFileNotFoundError, ModelConversionError: in place of what a
            model is not had for.
    """
    try:
        yield
    except (MissingPackageError, NotLockedError):
        raise
    except ModelConversionError as error:
        error.tried = (*attempt.tried, *error.tried)
        raise
    except ModelVerificationError as error:
        error.tried = error.tried or tuple(attempt.tried)
        raise
    except UnavailableError as error:
        unheard = error.reason in _UNHEARD
        kind = ModelConnectionError if unheard else ModelFileNotFoundError
        told = kind(
            f"{attempt.wanted.model_id}: no {attempt.wanted.file_path}: {error.message}"
            f"{_told(attempt)}",
            reason=error.reason,
            remedy=error.remedy,
        )
        told.tried = tuple(attempt.tried)
        raise told from error


def _told(attempt: Attempt) -> str:
    return f" Tried: {'; '.join(attempt.tried)}." if attempt.tried else ""
