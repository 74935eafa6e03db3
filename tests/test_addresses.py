"""What of a URL is a name, and what of it nobody may see."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_potmodels.addresses import Secret, displayed, is_web, plain, shown, without_secrets

PRESIGNED = {
    "aws-v4": "X-Amz-Algorithm=A&X-Amz-Credential=c&X-Amz-Expires=60&X-Amz-Signature=5ec4e7",
    "aws-v2": "AWSAccessKeyId=AK&Expires=1900000000&Signature=5ec4e7",
    "google": "GoogleAccessId=a%40b&Expires=1&Signature=5ec4e7",
    "azure": "sv=2024-11-04&st=2026&se=2027&sr=b&sp=r&sig=5ec4e7",
    "cloudfront": "Expires=1&Signature=5ec4e7&Key-Pair-Id=K",
    "token": "access_token=5ec4e7",
    "key": "api_key=5ec4e7",
    "password": "pwd=5ec4e7",
    "swift": "temp_url_sig=5ec4e7&temp_url_expires=1",
    "akamai": "hdnts=exp=1~hmac=5ec4e7",
    "nginx": "md5=5ec4e7&expires=1",
    "cloudflare": "verify=1-5ec4e7",
    "dropbox": "rlkey=5ec4e7",
    "drive": "resourcekey=5ec4e7",
    "alibaba": "OSSAccessKeyId=AK&Expires=1&Signature=5ec4e7",
    "tencent": "q-sign-algorithm=sha1&q-ak=AK&q-signature=5ec4e7",
    "functions": "code=5ec4e7",
    "capitals": "TOKEN=5ec4e7",
    "quoted": "%74oken=5ec4e7",
}


@pytest.mark.parametrize("query", PRESIGNED.values(), ids=PRESIGNED)
def test_every_link_to_one_file_is_one_name(query: str) -> None:
    assert plain(f"https://host/a/m.pth?{query}") == "https://host/a/m.pth"
    for both in (f"version=3&{query}", f"version=3;{query}"):
        assert plain(f"https://host/a/m.pth?{both}") == "https://host/a/m.pth?version=3"


@pytest.mark.parametrize(
    "query", ["id=5&sp=1", "expires=never", "s=a%20b", "author=x", "md5=a", "a=1;b=2", "codec=x"]
)
def test_a_query_that_opens_nothing_stays_as_it_is(query: str) -> None:
    assert plain(f"https://host/m?{query}") == f"https://host/m?{query}"


def test_a_name_has_neither_credentials_nor_fragment_nor_capitals_in_its_host() -> None:
    assert plain("HTTPS://Me:Pass@Host.Example:8443/A.pt#sha256=0") == (
        "https://host.example:8443/A.pt"
    )


@pytest.mark.parametrize(
    "text",
    ["", "ftp://h/x", "https://", "https:///x", "https://h:port/x", "https://[::1/x",
     "https://h/a b", "https://h/a\nb", "https://h\\@evil/x", "https://h/<x>", "file:///x",
     "https://me:pass@/x", "https://h:99999/x"],
    ids=range(13),
)  # fmt: skip
def test_what_leads_to_no_host_is_no_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        plain(text)


@given(st.text(max_size=60), st.text(max_size=20))
def test_a_name_is_its_own_name(path: str, query: str) -> None:
    try:
        name = plain(f"https://host/{path}?{query}")
    except ValueError:
        return
    assert plain(name) == name


@pytest.mark.parametrize("prefix", ["", "url:", "URL:", "  url:"], ids=range(4))
def test_what_is_displayed_keeps_the_promise_and_not_the_secret(prefix: str) -> None:
    written = f"{prefix}https://me:5ec4e7@host/m.pt?token=5ec4e7#sha256=ab&token=5ec4e7"
    assert "5ec4e7" not in displayed(written)
    assert displayed(written) == f"{prefix.strip()}https://host/m.pt#sha256=ab"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("https://me:5ec4e7@[::1/m?token=5ec4e7", "https://[::1/m"),
        ("https://me:5ec4e7/5ec4e7@host/m", "https://host/m"),
        ("https://me:5ec4e7?5ec4e7@host/m", "https://host/m"),
        ("https://me:5ec4e7#5ec4e7@host/m", "https://host/m"),
        ("https://me:5ec4e7@host:99999/m?token=5ec4e7", "https://host:99999/m"),
        ("https:/me:5ec4e7@host/m", "https:/host/m"),
        ("url:ftp://me:5ec4e7@host/m?token=5ec4e7", "url:ftp://host/m"),
        ("s3://AK:5ec4e7@bucket/m", "s3://bucket/m"),
    ],
    ids=range(8),
)
def test_what_is_no_url_of_ours_is_displayed_without_its_secret_too(text: str, seen: str) -> None:
    assert displayed(text) == seen
    assert "5ec4e7" not in shown(text)


@pytest.mark.parametrize("url", ["https://host/@scope/m", "https://host:80/a@b?c", "file:///a@b"])
def test_an_at_sign_in_a_path_stays(url: str) -> None:
    assert displayed(url) == url


@pytest.mark.parametrize(
    "name", ["bert", "org/model@v1", "file:a#b", "hf:x", "file:/a@b/c", "C:/a@b/c"]
)
def test_other_names_are_displayed_as_they_are(name: str) -> None:
    assert displayed(name) == name
    assert not is_web(name)


def test_a_manifest_url_loses_its_signature_and_what_belongs_to_it() -> None:
    url = "https://host/f?a=1&Expires=9&Signature=x"
    assert without_secrets(url) == "https://host/f?a=1"


def test_a_secret_does_not_show_in_a_traceback() -> None:
    assert repr(Secret("5ec4e7")) == "'***'"
    assert f"{Secret('5ec4e7')!s}" == "5ec4e7"
