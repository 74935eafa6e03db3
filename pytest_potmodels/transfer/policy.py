"""How the network may be used: what the settings come down to, as far as bytes are concerned."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TransferPolicy:
    """Limits and routes of all transfers.

    `timeout` (per model, for the caller's `Deadline`) and `read_timeout` (of one wait for the next
    bytes) are seconds. `mirrors` are (OLD, NEW) prefixes.
    """

    #: "" or what closed the network, in the user's words ("--pot-network=block").
    blocked: str = ""
    timeout: float = 600.0
    #: Failures in a row, without a byte of progress, that are followed by another try.
    retries: int = 5
    #: Files moved at once.
    jobs: int = 4
    mirrors: tuple[tuple[str, str], ...] = ()
    #: The one origin that is sent the token.
    hub_endpoint: str = "https://huggingface.co"
    #: Shared by all processes of a test session, so that they agree on what is reachable.
    session_dir: Path | None = None
    read_timeout: float = 10.0
    #: A model larger than this is refused (None: no limit).
    max_bytes: int | None = None
    #: Whether a redirect to plain http is refused, but for mirrors and this machine itself.
    https_only: bool = False
    #: Whether certificates are checked; with a credential they are always.
    verify_ssl: bool = True
