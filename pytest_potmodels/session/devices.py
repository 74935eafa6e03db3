"""Which device a worker loads its models on."""

import re

from pytest_potmodels import extras
from pytest_potmodels.errors import UsageError


def device_for(setting: str, worker: str) -> str:
    """The torch device of `cpu`, `cuda`, `cuda:N` or `auto`; auto goes round the GPUs.

    Args:
        setting: the value of `--pot-device`.
        worker: the xdist worker's name (`gw3`), or "" without xdist.

    Raises:
        UsageError: a GPU that is not there.
    """
    if setting == "cpu":
        return setting
    count: int = extras.require("torch").cuda.device_count()
    if setting == "auto":
        number = re.sub(r"\D", "", worker) or "0"
        return f"cuda:{int(number) % count}" if count else "cpu"
    index = int(setting.partition(":")[2] or 0)
    if index >= count:
        raise UsageError(
            f"--pot-device={setting}: torch sees {count} CUDA devices here.",
            remedy="use --pot-device=auto or cpu",
        )
    return setting
