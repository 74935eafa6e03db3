"""A local stand-in of the hub, its CDN and download.pytorch.org: real protocol, faults on demand.

with StandIn() as site:
    repo = site.add_repo("org/model", {"config.json": b"{}", "model.safetensors": weights})
    site.fault(Truncated(at=5_000_000), "model.safetensors")
    ...                                 # a client with HF_ENDPOINT=site.hub.url
    assert site.log.gets("model.safetensors") == 2
    assert site.log.authorizations("cdn") == []
"""

from standin.content import Blob, Repo
from standin.faults import (
    Dropped,
    Fault,
    FlippedByte,
    Hang,
    NoRange,
    RedirectTo,
    ShortReply,
    Slowed,
    Stalled,
    Status,
    Truncated,
    WrongEtag,
)
from standin.github import GitRepo
from standin.log import Request, RequestLog
from standin.site import StandIn

__all__ = [
    "Blob",
    "Dropped",
    "Fault",
    "FlippedByte",
    "GitRepo",
    "Hang",
    "NoRange",
    "RedirectTo",
    "Repo",
    "Request",
    "RequestLog",
    "ShortReply",
    "Slowed",
    "Stalled",
    "StandIn",
    "Status",
    "Truncated",
    "WrongEtag",
]
