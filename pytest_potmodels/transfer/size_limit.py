"""`--pot-max-size`: before a byte moves where sizes are known, while they move where not."""

import threading
from collections.abc import Iterable

from pytest_potmodels.artifacts import RemoteFile
from pytest_potmodels.errors import ModelTooLargeError
from pytest_potmodels.transfer.disk import in_units


class SizeLimit:
    """The bytes of all files of one model, and those `beside`, against the limit; None is none.

    Raises:
        ModelTooLargeError: the stated sizes alone are beyond the limit.
    """

    def __init__(self, files: Iterable[RemoteFile], most: int | None, beside: int = 0) -> None:
        self._lock = threading.Lock()
        self._most = most
        self._beside = beside
        self._sizes = {str(file.path): file.size or file.size_hint or 0 for file in files}
        self._check()

    def state(self, path: str, size: int) -> None:
        """Take note of a file's size, as the server states it.

        Raises:
            ModelTooLargeError: the model is beyond the limit now.
        """
        with self._lock:
            self._sizes[path] = size
            self._check()

    def grow(self, path: str, size: int) -> None:
        """Take note of how much of a file has come so far.

        Raises:
            ModelTooLargeError: the model is beyond the limit now.
        """
        with self._lock:
            self._sizes[path] = max(size, self._sizes[path])
            self._check()

    def _check(self) -> None:
        total = self._beside + sum(self._sizes.values())
        if self._most is not None and total > self._most:
            raise ModelTooLargeError(
                f"The model's files take {in_units(total)} or more; "
                f"--pot-max-size allows {in_units(self._most)}.",
                remedy=f"--pot-max-size={_rounded_up(total)}, or use a smaller model",
            )


def _rounded_up(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if count >= size:
            return f"{-(-count // size)}{unit}"
    return str(count)
