"""Keep transformers' bars and reports off the user's terminal while we load."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from huggingface_hub import constants


@contextmanager
def quiet(transformers: Any) -> Iterator[None]:
    """Silence warnings and progress bars; both are afterwards as they were.

    What the reports say is not lost: the loader asks for it as a value. Somebody who asked
    for more than the default (TRANSFORMERS_VERBOSITY, HF_HUB_DISABLE_PROGRESS_BARS=0) gets it.
    """
    chatter = transformers.utils.logging
    level = chatter.get_verbosity()
    bars = chatter.is_progress_bar_enabled() and constants.HF_HUB_DISABLE_PROGRESS_BARS is None
    if level == logging.WARNING:
        chatter.set_verbosity(logging.ERROR)
    if bars:
        chatter.disable_progress_bar()
    try:
        yield
    finally:
        chatter.set_verbosity(level)
        if bars:
            chatter.enable_progress_bar()
