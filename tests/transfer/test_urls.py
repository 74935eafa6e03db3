import pytest

from pytest_potmodels.errors import UsageError
from pytest_potmodels.transfer import urls


def test_an_origin_knows_the_port_that_is_not_written() -> None:
    assert urls.origin("https://Hub.Example/a") == urls.Origin("https", "hub.example", 443)
    assert urls.origin("http://hub.example:443").port == 443


@pytest.mark.parametrize(
    "text", ["ftp://host/x", "file:///etc/passwd", "no url", "https://", "https://host:port/x"]
)
def test_what_cannot_be_spoken_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not an http"):
        urls.origin(text)


def test_a_place_shows_only_unusual_ports() -> None:
    assert urls.place("https://hub.example:443/a") == "hub.example"
    assert urls.place("http://hub.example:8080/a") == "hub.example:8080"
    assert urls.place("http://[::1]:8080/a") == "[::1]:8080"


def test_a_shown_url_holds_neither_credentials_nor_query() -> None:
    shown = urls.shown("https://me:pass@host:1/path@rev/file?Signature=abc#frag")
    assert shown == "https://host:1/path@rev/file"
    assert urls.shown("https://host?token=a") == "https://host"
    assert urls.shown("https://host?next=http://me:pass@other/") == "https://host"


def test_a_url_for_a_manifest_keeps_what_a_download_needs() -> None:
    url = "https://me:pass@host/f?id=5&X-Amz-Signature=abc&token=t&author=x&sig=s"
    assert urls.without_secrets(url) == "https://host/f?id=5&author=x"
    assert urls.without_secrets("https://host/f?a=%20b") == "https://host/f?a=%20b"


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("127.8.8.8:80", True), ("localhost", True), ("[::1]:8", True),
     ("127.0.0.1.example", False), ("10.0.0.1", False), ("localhost.example", False)],
    ids=range(7),
)  # fmt: skip
def test_loopback_is_this_machine(host: str, here: bool) -> None:  # noqa: FBT001
    assert urls.is_loopback(f"http://{host}/x") is here
