"""What a URL says about the weights behind it."""

import pytest

from pytest_potmodels.digests import Digest
from pytest_potmodels.errors import UsageError
from pytest_potmodels.sources.weights_url import weights_at

HASH = "4df2b28e" * 8


@pytest.mark.parametrize(
    ("url", "name", "digests"),
    [
        ("https://h/a/best.pth", "best.pth", []),
        ("https://h/resnet18-4df2b28e.pth", "resnet18-4df2b28e.pth", ["sha256-prefix:4df2b28e"]),
        ("https://h/net.safetensors?download=true", "net.safetensors", []),
        (f"https://h/best.pth#sha256={HASH}", "best.pth", [f"sha256:{HASH}"]),
        (f"https://h/best.pth#sha256={HASH.upper()}", "best.pth", [f"sha256:{HASH}"]),
        ("https://h/epoch-20260131.pth", "epoch-20260131.pth", []),
        ("https://h/net-deadbee.pth", "net-deadbee.pth", []),
        ("https://h/my%2Bnet.pth", "my+net.pth", []),
    ],
)
def test_name_and_digests_are_read_off_the_url(url: str, name: str, digests: list[str]) -> None:
    file = weights_at(url)
    assert str(file.path) == name
    assert [str(digest) for digest in file.digests] == digests
    assert file.url == url.partition("#")[0]
    assert file.size is None


def test_a_fragment_and_a_name_both_promise() -> None:
    file = weights_at(f"https://h/net-4df2b28e.pth#sha256={HASH}")
    assert set(file.digests) == {Digest("sha256", HASH), Digest("sha256-prefix", "4df2b28e")}


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://h/best.pth", "no http:// or https:// URL"),
        ("https:///best.pth", "no http:// or https:// URL"),
        ("best.pth", "no http:// or https:// URL"),
        ("https://h/", "does not end in a file name"),
        ("https://h/a%5C..%5Cb", "does not end in a file name"),
        ("https://h/..", "does not end in a file name"),
        ("https://h/best.pth#md5=00", "expected #sha256= and 64 hex digits, found #md5=00"),
        ("https://h/best.pth#sha256=00", "expected #sha256="),
    ],
)
def test_what_cannot_be_meant_is_an_error(url: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        weights_at(url)
