"""Models by URL: what a fragment, a table's key and an argument say of the file behind it."""

from typing import Any

import pytest

from pytest_potmodels.catalog import web
from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.catalog.reader import build_catalog
from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.identifiers import ModelId

HEX = "0123456789abcdef" * 4
URL = "https://host/a/m.pth"
ID = ModelId("url", URL)


def catalog(**own: Any) -> Catalog:
    return build_catalog({"models": own}, lambda *keys: "pyproject.toml:" + ".".join(keys))


@pytest.mark.parametrize("text", [URL, f"url:{URL}", f" {URL}\n", f"URL:{URL}", f"{URL}#"],
                         ids=range(5))  # fmt: skip
def test_a_url_is_a_model_with_and_without_its_source(text: str) -> None:
    request = catalog().request(text)
    assert request.id == ID
    assert (request.sha256, request.architecture, request.address) == (None, None, None)
    assert (request.kind, request.kind_known) == ("vision", False)


def test_a_fragment_says_digest_and_network() -> None:
    request = catalog().request(f"{URL}#sha256={HEX.upper()}&architecture=resnet18")
    assert (request.sha256, request.architecture) == (HEX, "resnet18")
    assert (request.kind, request.kind_known) == ("vision", True)
    assert request.asked == f"{URL}#sha256={HEX.upper()}&architecture=resnet18"


def test_secrets_are_in_the_address_alone() -> None:
    request = catalog().request("https://me:5ec4e7@host/a/m.pth?X-Amz-Signature=5ec4e7")
    assert request.id == ID
    assert request.address == "https://me:5ec4e7@host/a/m.pth?X-Amz-Signature=5ec4e7"
    assert "5ec4e7" not in repr(request) + request.asked


def test_two_links_to_one_file_are_one_request() -> None:
    one, other = (catalog().request(f"{URL}?X-Amz-Signature={sign}") for sign in "ab")
    assert one == other
    assert len({one, other}) == 1


@pytest.mark.parametrize(
    ("fragment", "said"),
    [
        ("sha256=abc", "sha256 takes 64 hex digits, found 3 characters"),
        (f"sha256={HEX}0", "found 65 characters"),
        (f"sha256={'g' * 64}", "sha256 takes 64 hex digits"),
        ("sha256=", "sha256 takes 64 hex digits"),
        (f"sha256:{HEX}", "unknown key of a fragment"),
        (f"sha265={HEX}", "Did you mean 'sha256'?"),
        (f"sha256={HEX}&egg=x", "unknown key of a fragment 'egg'"),
        (f"sha256={HEX}&sha256={HEX}", "sha256 is given twice"),
        (f"sha256={HEX}&", "unknown key of a fragment ''"),
        ("architecture=resnet81", "Did you mean 'resnet18'"),
        ("architecture=", "unknown torchvision architecture ''"),
    ],
    ids=range(11),
)
def test_a_fragment_that_says_something_else_is_an_error(fragment: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        catalog().request(f"{URL}#{fragment}")
    assert said in str(raised.value)


@pytest.mark.parametrize(
    "text",
    ["url:", "url:model.pt", "url:ftp://me:5ec4e7@h/x", "url:file:///etc/passwd", "https:///x",
     "https://me:5ec4e7@h:port/x", "https://h/a b", "https://h/../x", "ftp://me:5ec4e7@h/x",
     "s3://bucket/x", "hf:https://me:5ec4e7@h/x"],
    ids=range(11),
)  # fmt: skip
def test_what_is_no_web_address_is_refused_without_its_secret(text: str) -> None:
    with pytest.raises(UsageError) as raised:
        catalog().request(text)
    assert "5ec4e7" not in str(raised.value)


def test_a_table_says_the_same_in_keys() -> None:
    ours = catalog(mine={"source": "url", "name": URL, "architecture": "resnet18", "sha256": HEX})
    request = ours.request("mine")
    assert (request.id, request.architecture, request.sha256) == (ID, "resnet18", HEX)
    assert (request.kind, request.kind_known) == ("vision", True)
    # The URL itself, wherever it is written, is that model.
    assert ours.request(URL).architecture == "resnet18"
    assert ours.request(f"{URL}#architecture=vgg16").architecture == "vgg16"
    assert ours.request(f"{URL}#architecture=vgg16").sha256 == HEX


def test_a_table_keeps_the_credentials_for_all_who_name_its_url() -> None:
    ours = catalog(mine={"source": "url", "name": "https://me:5ec4e7@host/a/m.pth"})
    assert ours.request("mine").address == "https://me:5ec4e7@host/a/m.pth"
    assert ours.request(URL).address == "https://me:5ec4e7@host/a/m.pth"
    assert "5ec4e7" not in repr(ours)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"source": "url"}, "'url:x' is not a well-formed url name"),
        ({"source": "url", "name": URL, "sha256": "abc"}, "models.x: sha256 takes 64 hex digits"),
        ({"source": "url", "name": f"{URL}#sha256={HEX}", "sha256": "0" * 64}, "keep one"),
        ({"source": "url", "name": URL, "architecture": "resnet81"}, "Did you mean 'resnet18'"),
        ({"source": "url", "name": URL, "revision": "v1"}, "url has no revisions"),
        ({"source": "url", "name": URL, "weights": URL}, "is from url"),
        ({"source": "hf", "name": "a/b", "sha256": HEX}, "`sha256` is of the file behind a URL"),
        ({"source": "url", "name": URL, "architecture": "resnet18", "kind": "language"},
         "is a vision model, not a language model"),
    ],
    ids=range(8),
)  # fmt: skip
def test_a_table_that_contradicts_itself_is_an_error(table: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as raised:
        catalog(x=table)
    assert said in str(raised.value)
    assert "pyproject.toml:models.x" in str(raised.value)


def test_an_argument_names_the_network_too() -> None:
    request = catalog().request(URL, architecture="resnet18")
    assert (request.architecture, request.kind, request.kind_known) == ("resnet18", "vision", True)
    with pytest.raises(UnknownNameError, match="Did you mean 'resnet18'"):
        catalog().request(URL, architecture="resnet81")
    with pytest.raises(UsageError, match="torchvision:resnet18 says itself what it is"):
        catalog().request("resnet18", architecture="resnet34")


def test_other_names_are_none_of_this() -> None:
    assert all(web.read(name) is None for name in ("bert", "hf:a/b", "file:a", "url", "urls:x"))
