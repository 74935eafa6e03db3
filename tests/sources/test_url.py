"""`url:https://...`: one file, its name in the folder, and the ways by which it may come."""

from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from pytest_potmodels.artifacts import ModelRequest, ResolvedModel
from pytest_potmodels.digests import Digest
from pytest_potmodels.errors import UsageError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.sources import SourceContext, open_source
from pytest_potmodels.sources.url import file_name
from pytest_potmodels.transfer import Deadline, Transfer, TransferPolicy
from pytest_potmodels.transfer.places import target

HEX = "0123456789abcdef" * 4


def resolve(url: str, mirrors: tuple[tuple[str, str], ...] = (), **facts: Any) -> ResolvedModel:
    transfer = Transfer(TransferPolicy(mirrors=mirrors), token=lambda: None)
    request = ModelRequest(ModelId("url", url), url, "vision", **facts)
    source = open_source("url", SourceContext(transfer, ""))
    return source.resolve(request.id, request, Deadline(5))


def test_a_url_is_one_file_with_what_was_promised_of_it() -> None:
    resolved = resolve("https://host/a/m.pth?v=2", sha256=HEX, architecture="resnet18")
    (file,) = resolved.files
    assert (file.path, file.url) == (PurePosixPath("m.pth"), "https://host/a/m.pth?v=2")
    assert file.digests == (Digest("sha256", HEX),)
    assert (resolved.format, resolved.revision, resolved.kind) == ("weights", None, "vision")
    assert resolved.origin == "https://host"
    # Which network it is for is said by who loads it, and no fact of the file.
    assert resolved.architecture is None


def test_without_a_promise_there_is_no_digest_whatever_the_name_says() -> None:
    assert resolve("https://host/m-deadbeef.pth").files[0].digests == ()


@pytest.mark.parametrize("name", ["m.onnx", "m.ONNX"])
def test_onnx_is_a_format_of_its_own(name: str) -> None:
    assert resolve(f"https://host/{name}").format == "onnx"


def test_the_request_goes_to_the_address_with_the_credentials() -> None:
    address = "https://me:pass@host/m.pth?Signature=s"
    assert resolve("https://host/m.pth", address=address).files[0].url == address


def test_a_mirror_gets_no_credentials_of_the_host_it_stands_for() -> None:
    rules = (("https://host", "https://mirror"),)
    resolved = resolve("https://host/m.pth", rules, address="https://me:pass@host/m.pth")
    assert resolved.files[0].url == "https://host/m.pth"


@pytest.mark.parametrize("host", ["127.0.0.1:80", "localhost", "[::1]:8080", "127.8.9.1"],
                         ids=range(4))  # fmt: skip
def test_plain_http_is_for_this_machine(host: str) -> None:
    assert resolve(f"http://{host}/m.pth").files[0].url == f"http://{host}/m.pth"


@pytest.mark.parametrize("host", ["elsewhere.example", "10.0.0.1", "localhost.example"])
def test_plain_http_to_elsewhere_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="is plain http") as raised:
        resolve(f"http://{host}/m.pth")
    assert f"--pot-mirror http://{host}=https://HOST" in raised.value.remedy


def test_a_mirror_rule_says_that_plain_http_is_meant() -> None:
    rules = (("http://elsewhere.example/", "https://mirror/"),)
    assert resolve("http://elsewhere.example/m.pth", rules).files


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("m.pth", "m.pth"),
        ("a/b/m.pth?id=3", "m.pth"),
        ("my%20model.pt", "my_model.pt"),
        ("m(1):x.pt", "m_1__x.pt"),
        ("con.pt", "_con.pt"),
        ("COM1", "_COM1"),
        ("m.pt.", "m.pt"),
        ("model.part", "model.part"),
        (".hidden.pt", ".hidden.pt"),
        ("модель.pt", "модель.pt"),
        ("mode%CC%80le.pt", "mod\u00e8le.pt"),
        ("%D0%BC.pt", "м.pt"),
        ("download", "download"),
        ("%00m.pt", None),
        ("..%2f..%2fetc%2fpasswd", None),
        ("a%2Fb.pt", None),
        ("..%5c..%5cboot.ini", None),
        ("", None),
        ("folder/", None),
        ("%2e%2e", None),
        ("%2e", None),
        ("...", None),
        ("%20", None),
        ("?file=m.pt", None),
    ],
    ids=range(24),
)
def test_the_file_has_a_name_that_every_system_takes(
    path: str, name: str | None, tmp_path: Path
) -> None:
    model_id = ModelId("url", f"https://host/{path}")
    if name is None:
        with pytest.raises(UsageError, match=r"file name|name of a file"):
            file_name(model_id)
        return
    assert file_name(model_id) == name
    assert target(tmp_path, PurePosixPath(name)).parent == tmp_path


@pytest.mark.parametrize("letter", ["x", "ж", "\U0001f600"], ids=["ascii", "cyrillic", "emoji"])
def test_a_very_long_name_is_cut_and_keeps_its_end(letter: str) -> None:
    one, other = (
        file_name(ModelId("url", f"https://host/{letter * 300}{end}.safetensors")) for end in "ab"
    )
    assert one != other
    assert one.endswith(".safetensors")
    assert len(one.encode()) <= 110


LABELS = ("", "../x", "a/b", "a\\b", ".hidden", "x.", "a b", "y" * 200, "ü")


@pytest.mark.parametrize("label", LABELS, ids=range(len(LABELS)))
def test_a_label_that_is_no_folder_name_is_refused(label: str) -> None:
    with pytest.raises(UsageError, match="no name for a folder"):
        resolve("https://host/m.pth", label=label)


def test_a_label_is_the_name_of_the_entry() -> None:
    assert resolve("https://host/m.pth", label="custom_model").label == "custom_model"
