"""The only code that talks to the network.

A light door: the policy and the deadline cost nothing, `Transfer` brings the HTTP client with it.
"""

from typing import TYPE_CHECKING, Any

from pytest_potmodels.transfer.deadline import Deadline
from pytest_potmodels.transfer.policy import TransferPolicy

if TYPE_CHECKING:
    from pytest_potmodels.transfer.fetch import Transfer

__all__ = ["Deadline", "Transfer", "TransferPolicy"]


def __getattr__(name: str) -> Any:
    if name == "Transfer":
        from pytest_potmodels.transfer.fetch import Transfer  # noqa: PLC0415 - the lazy door

        return Transfer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
