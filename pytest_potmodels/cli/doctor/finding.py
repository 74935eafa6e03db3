"""What a check found."""

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One line of the report; a status other than ok comes with a remedy."""

    check: str
    status: Status
    said: str
    remedy: str = ""
