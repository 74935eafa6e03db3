"""All digits, where the caller asks torch for fewer."""

from contextlib import AbstractContextManager, nullcontext

import torch


def full_precision(like: torch.Tensor) -> AbstractContextManager[object]:
    """No autocast on the device of a tensor: products are small, and their digits decide bits."""
    kind = like.device.type
    # Asked first, because not every device knows autocast.
    if torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind):
        return torch.autocast(kind, enabled=False)
    return nullcontext()
