"""Options as they are typed here: messages from below name pytest's, `--pot-timeout`."""

import re

#: Settings that are options of each command; pytest's option has `pot-` before the name.
SETTINGS = (
    "cache_dir",
    "timeout",
    "retries",
    "jobs",
    "mirror",
    "trust",
    "lock",
    "locked",
    "config",
)
_NAMES = "|".join(key.replace("_", "-") for key in (*SETTINGS, "offline", "device", "remote"))
_OF_PYTEST = re.compile(rf"--pot-({_NAMES})\b")


def as_typed_here(text: str) -> str:
    """The text with `--pot-timeout` as `--timeout`."""
    return _OF_PYTEST.sub(r"--\1", text)
