"""Repositories of PyTorch Hub, tiny, with code that does what such code does."""

import hashlib
import io
from typing import Any

NAME = "pytorch_hub:acme/nets/tiny"
TRUST = "pytorch_hub:acme/nets"
#: Where the code believes that its weights are.
WEIGHTS = "https://download.pytorch.org/models"

_HUBCONF = '''
dependencies = ["torch"]
import torch
from nets.tiny import Tiny

def tiny(pretrained=False, **options):
    """A network of two layers."""
    model = Tiny(**options)
    if pretrained:
        url = "{url}"
        state = torch.hub.load_state_dict_from_url(url, map_location="cpu", check_hash=True)
        model.load_state_dict(state)
    return model

def drawn():
    return Tiny()

def several(pretrained=False):
    return Tiny(), "and words"
'''
_NET = """
from torch import nn

class Tiny(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.first = nn.Linear(3, width)
        self.second = nn.Linear(width, 2)

    def forward(self, x):
        return self.second(self.first(x).relu())
"""


def weights(*, seed: int = 0) -> tuple[str, bytes]:
    """The state dict of the tiny network, as it is published: (name-HASH8.pth, its bytes)."""
    import torch  # noqa: PLC0415
    from torch import nn  # noqa: PLC0415

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = nn.ModuleDict({"first": nn.Linear(3, 4), "second": nn.Linear(4, 2)})
    return named(model.state_dict())


def named(content: Any, stem: str = "tiny") -> tuple[str, bytes]:
    """What torch saves, under a name with the beginning of its digest."""
    import torch  # noqa: PLC0415

    buffer = io.BytesIO()
    torch.save(content, buffer)
    data = buffer.getvalue()
    return f"{stem}-{hashlib.sha256(data).hexdigest()[:8]}.pth", data


def tiny_files(weights_name: str) -> dict[str, bytes]:
    """The repository of the tiny network."""
    return {
        "hubconf.py": _HUBCONF.format(url=f"{WEIGHTS}/{weights_name}").encode(),
        "nets/__init__.py": b"",
        "nets/tiny.py": _NET.encode(),
        "README.md": b"# Nets\n",
    }


def hubconf(body: str) -> dict[str, bytes]:
    """A repository with nothing but an entry point `tiny` that begins with this code."""
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    return {"hubconf.py": f"import torch\n\ndef tiny():\n{lines}".encode()}
