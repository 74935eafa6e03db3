"""The hub's token, and the one origin it may be sent to."""

import base64
import re
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from pytest_potmodels.addresses import Secret
from pytest_potmodels.errors import UsageError
from pytest_potmodels.transfer.urls import origin

_SENDABLE = re.compile(r"[\x21-\x7e]+")


class Credentials:
    """Hands the token out for URLs of the hub's own origin: scheme, host and port."""

    def __init__(self, hub_endpoint: str, token: Callable[[], str | None]) -> None:
        self._origin = origin(hub_endpoint)
        self._token = token

    def belong_to(self, url: str) -> bool:
        """Whether this URL leads to the hub itself."""
        return origin(url) == self._origin

    def token(self) -> Secret | None:
        """The token, if there is one.

        Raises:
            UsageError: it could not be a header; the message does not repeat it.
        """
        token = (self._token() or "").strip()
        if token and not _SENDABLE.fullmatch(token):
            raise UsageError(
                "The Hugging Face token holds characters that no token has.",
                remedy="set HF_TOKEN anew, or log in again with `hf auth login`",
            )
        return Secret(token) if token else None

    def authorization(self, url: str, *, trusted: bool) -> Secret | None:
        """The Authorization header for a request, if it gets one.

        `trusted` says that this URL, and each before it in a chain of redirects, was the hub's.
        """
        if own := _of_url(url):
            return own
        token = self.token() if trusted else None
        return Secret(f"Bearer {token!s}") if token else None


def _of_url(url: str) -> Secret | None:
    """What a URL itself says (`https://user:password@mirror/`), as Basic authorization."""
    parts = urlsplit(url)
    if not parts.username:
        return None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Secret("Basic " + base64.b64encode(pair.encode()).decode())
