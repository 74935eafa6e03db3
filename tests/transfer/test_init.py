import subprocess
import sys

import pytest

from pytest_potmodels import transfer

LIGHT = """
import sys
from pytest_potmodels.transfer import Deadline, TransferPolicy
import pytest_potmodels.transfer as door
TransferPolicy(), Deadline(1)
heavy = {"httpx2", "httpcore2", "huggingface_hub", "filelock", "ssl", "torch"} & set(sys.modules)
assert not heavy, heavy
door.Transfer
assert "httpx2" in sys.modules
assert "huggingface_hub" not in sys.modules
"""


def test_the_door_is_light_and_opens_when_asked() -> None:
    subprocess.run([sys.executable, "-c", LIGHT], check=True)


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="Transport"):
        _ = transfer.Transport
