import pytest

from pytest_potmodels.errors import UnavailableError
from pytest_potmodels.transfer import Deadline, TransferPolicy
from pytest_potmodels.transfer.failures import timed_out
from pytest_potmodels.transfer.network import Network
from pytest_potmodels.transfer.scope import CancelScope


def test_patience_that_ends_in_silence_closes_the_host(silent_server: str) -> None:
    network = Network.under(TransferPolicy(retries=0), lambda: None)
    network.reachability.ensure(silent_server)
    patience = network.patience(silent_server, CancelScope(Deadline(20)))
    with pytest.raises(UnavailableError):
        patience.endure(timed_out(silent_server, 10), progressed=False)
    with pytest.raises(UnavailableError, match="no answer from"):
        network.reachability.ensure(silent_server)
