"""Every error this package raises on purpose, with its exit code and its remedy.

    PotModelsError                      70  our own fault, unless a class below says otherwise
    ├── UsageError                       2  a name, key, value or option that cannot be meant
    │   ├── UnknownNameError             2  ... with close matches
    │   └── LUTError                     2  a LUT network that cannot be meant; also a ValueError
    │       ├── LUTNameError             2  ... a key or name; also an UnknownNameError and KeyError
    │       ├── LUTWeightsError          3  its weights are nowhere; also unavailable
    │       └── LUTDigestError           4  its weights are not the ones its YAML names
    ├── UnavailableError                 3  the model cannot be had; `reason` says why, in one word
    │   ├── ModelTooLargeError           3
    │   ├── NotPlannedError              3
    │   ├── NotLockedError               3
    │   └── MissingPackageError          3
    ├── ModelVerificationError           1  a model's file was checked or made, and did not pass
    │   ├── ModelConversionError         1  no ONNX file of it passed the gate
    │   │   └── ModelUnsupportedError    3  ... because nothing can export it; also unavailable
    │   ├── ModelFileNotFoundError       3  nor anything to make it from; also unavailable
    │   └── ModelConnectionError         3  whoever has it is out of reach; also unavailable
    ├── DigestMismatchError              4  bytes that are not the expected bytes; never substituted
    └── StoreError                       3  the cache folder: full, read-only, locked

Errors cross process borders (pytest-xdist), so they pickle with all their fields.
"""

import difflib
from collections.abc import Iterable
from enum import StrEnum
from typing import ClassVar


class Reason(StrEnum):
    """Why a model cannot be had: the code that skip reasons, ledger rows and `--json` carry."""

    NOT_CACHED = "not-cached"
    NOT_LOCKED = "not-locked"
    OFFLINE = "offline"
    SERVER = "server-error"
    TIMEOUT = "timeout"
    GATED = "gated"
    DISABLED = "disabled"
    PRIVATE = "private-or-missing"
    UNKNOWN_MODEL = "unknown-model"
    UNKNOWN_REVISION = "unknown-revision"
    PACKAGE_MISSING = "package-missing"
    TOO_LARGE = "too-large"
    NOT_LOADABLE = "not-loadable"
    MEMORY_LIMIT = "memory-limit"
    MOCK_ONLY = "mock-only"
    NOT_TRUSTED = "not-trusted"
    NOT_EXPORTABLE = "not-exportable"


#: A name that does not exist upstream is a mistake to report, not something to stand in for.
#: So is a model that is there and does not load: it is broken, not missing. And one whose code
#: nobody trusted waits for a word of the user's.
NEVER_SUBSTITUTED = frozenset(
    {
        *(Reason.UNKNOWN_MODEL, Reason.UNKNOWN_REVISION, Reason.TOO_LARGE, Reason.NOT_LOADABLE),
        Reason.NOT_TRUSTED,
        Reason.NOT_LOCKED,
    }
)


class PotModelsError(Exception):
    """An error with one sentence of what happened and one of what mends it."""

    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  To mend it: {self.remedy}" if self.remedy else self.message

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__.copy()))


def _rebuild(
    kind: type[PotModelsError], args: tuple[object, ...], fields: dict[str, object]
) -> PotModelsError:
    """Undo `__reduce__`; keyword-only fields rule out the default way."""
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(fields)
    return error


class UsageError(PotModelsError):
    """What was written cannot be meant: an option, a key, a value, a marker argument."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A name that is not among the known ones; the message lists the close ones."""

    def __init__(
        self, what: str, name: str, known: Iterable[str], *, remedy: str = "", where: str = ""
    ) -> None:
        self.name = name
        self.matches = close_matches(name, known)
        meant = f" Did you mean {_either(self.matches)}?" if self.matches else ""
        place = f"{where}: " if where else ""
        super().__init__(f"{place}unknown {what} {name!r}.{meant}", remedy=remedy)


class UnavailableError(PotModelsError):
    """The model cannot be had here and now; `reason` is the code, the message what was checked."""

    exit_code = 3

    def __init__(self, message: str, *, reason: Reason, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.reason = reason

    @property
    def substitutable(self) -> bool:
        """Whether an announced mock may stand in."""
        return self.reason not in NEVER_SUBSTITUTED


class ModelTooLargeError(UnavailableError):
    """The model is larger than `--pot-max-size` allows."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message, reason=Reason.TOO_LARGE, remedy=remedy)


class NotPlannedError(UnavailableError):
    """The network was open for what tests name beforehand, and they did not name this model.

    A mark is missing: that is a mistake to mend, and neither a mock nor a skip hides it.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message, reason=Reason.NOT_CACHED, remedy=remedy)

    @property
    def substitutable(self) -> bool:
        """No stand-in."""
        return False


class NotLockedError(UnavailableError):
    """The model is beyond the lock file, and nothing beyond it may be used."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message, reason=Reason.NOT_LOCKED, remedy=remedy)


class MissingPackageError(UnavailableError):
    """A Python package that this model needs is not installed or cannot be imported."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message, reason=Reason.PACKAGE_MISSING, remedy=remedy)


class DigestMismatchError(PotModelsError):
    """Bytes differ from what was promised. Never answered with a mock or a skip."""

    exit_code = 4

    def __init__(self, message: str, *, expected: str, found: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.expected = expected
        self.found = found


class StoreError(PotModelsError):
    """The cache folder cannot be used as asked: full, read-only, held by another process."""

    exit_code = 3


class LUTError(UsageError, ValueError):
    """A LUT network cannot be built, changed, fitted or fed as asked."""


class LUTNameError(LUTError, UnknownNameError, KeyError):
    """A key, kind or pretrained LUT network that is not among the known ones."""


class LUTWeightsError(LUTError, UnavailableError):
    """A LUT network whose weights are in no folder: never replaced by random ones."""

    exit_code = 3

    def __init__(self, message: str, *, remedy: str = "") -> None:
        UnavailableError.__init__(self, message, reason=Reason.NOT_CACHED, remedy=remedy)


class LUTDigestError(LUTError, DigestMismatchError):
    """A file of a LUT network differs from what its YAML says."""

    exit_code = 4


class ModelVerificationError(PotModelsError):
    """A model's file was checked or made, and did not pass; the base of the four below."""

    exit_code = 1
    #: What was tried, in order.
    tried: tuple[str, ...] = ()


class ModelConversionError(ModelVerificationError):
    """No file that was made of the model passed; `tried` says what was tried and why it failed."""

    def __init__(self, message: str, *, tried: Iterable[str] = (), remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.tried = tuple(tried)


class ModelUnsupportedError(ModelConversionError, UnavailableError):
    """No strategy can export this model: a reason to skip, where a wrong file is one to fail."""

    exit_code = 3

    def __init__(self, message: str, *, tried: Iterable[str] = (), remedy: str = "") -> None:
        UnavailableError.__init__(self, message, reason=Reason.NOT_EXPORTABLE, remedy=remedy)
        self.tried = tuple(tried)


class ModelFileNotFoundError(ModelVerificationError, UnavailableError):
    """There is no such file of the model, and none that it could be made from."""

    exit_code = 3


class ModelConnectionError(ModelVerificationError, UnavailableError):
    """Whoever has the model cannot be reached."""

    exit_code = 3


def close_matches(
    name: str, known: Iterable[str], *, limit: int = 3, likeness: float = 0.6
) -> list[str]:
    """The known names most like `name`, best first; case does not count."""
    by_folded = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), by_folded, n=limit, cutoff=likeness)
    return [by_folded[key] for key in found]


def _either(names: list[str]) -> str:
    quoted = [repr(name) for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
