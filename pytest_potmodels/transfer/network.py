"""What all requests of one Transfer share."""

from collections.abc import Callable
from dataclasses import dataclass

from pytest_potmodels.transfer.counter import RequestCounter
from pytest_potmodels.transfer.credentials import Credentials
from pytest_potmodels.transfer.mirrors import Mirrors
from pytest_potmodels.transfer.policy import TransferPolicy
from pytest_potmodels.transfer.reachability import Reachability
from pytest_potmodels.transfer.retry import Patience
from pytest_potmodels.transfer.scope import CancelScope


@dataclass(frozen=True)
class Network:
    """Routes, credentials, verdicts and counts under one policy."""

    policy: TransferPolicy
    mirrors: Mirrors
    credentials: Credentials
    reachability: Reachability
    counter: RequestCounter

    @classmethod
    def under(cls, policy: TransferPolicy, token: Callable[[], str | None]) -> "Network":
        """The network as a policy allows it."""
        return cls(
            policy,
            Mirrors(policy.mirrors),
            Credentials(policy.hub_endpoint, token),
            Reachability(policy),
            RequestCounter(),
        )

    def patience(self, url: str, scope: CancelScope) -> Patience:
        """The patience for one file or call; a host that stays silent is given up for all."""
        return Patience(
            url,
            retries=self.policy.retries,
            deadline=scope.deadline,
            stop=scope.stopped,
            condemn=self.reachability.condemn,
        )
