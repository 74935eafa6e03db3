"""Documents of a remote that somebody else wrote: refused, named, and the hub is asked."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from machine import request
from store.remote.conftest import NAME, Bench, is_right

from pytest_potmodels.digests import digest_of_files
from pytest_potmodels.errors import UnavailableError

Change = Callable[[dict[str, Any]], Any]


def refresh(facts: dict[str, Any]) -> None:
    """Make the digest over the files right again, as who forges a manifest would."""
    facts["digest"] = digest_of_files({file["path"]: file["sha256"] for file in facts["files"]})


def forge(bench: Bench, change: Change) -> None:
    """Change the manifest, and have the refs lead to it."""
    (name,) = bench.inside.documents("manifests")
    facts = json.loads(bench.inside.read(name))
    change(facts)
    bench.inside.write(name, json.dumps(facts).encode())
    for ref in bench.inside.documents("refs"):
        led = {**json.loads(bench.inside.read(ref)), "digest": facts["digest"]}
        bench.inside.write(ref, json.dumps(led).encode())


def crowd(facts: dict[str, Any], count: int) -> None:
    facts["files"] = [{**facts["files"][0], "path": str(number)} for number in range(count)]
    refresh(facts)


def renamed(path: str) -> Change:
    def change(facts: dict[str, Any]) -> None:
        facts["files"][0]["path"] = path
        refresh(facts)

    return change


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(renamed("../../escaped"), id="climbs"),
        pytest.param(renamed("/escaped"), id="absolute"),
        pytest.param(renamed("a\\..\\b"), id="climbs on Windows"),
        pytest.param(renamed("model_info.json"), id="the manifest itself"),
        pytest.param(lambda facts: facts.update(name="org/other"), id="another model"),
        pytest.param(lambda facts: facts.update(source="package"), id="another source"),
        pytest.param(lambda facts: facts.update(revision="0" * 40), id="another revision"),
        pytest.param(lambda facts: facts.update(in_place="/etc"), id="in place"),
        pytest.param(lambda facts: facts.update(schema=99), id="from the future"),
        pytest.param(lambda facts: facts.update(format="pickle"), id="unknown format"),
        pytest.param(lambda facts: facts["files"][0].update(size=-1), id="negative size"),
        pytest.param(lambda facts: facts["files"][0].update(sha256="../" * 21 + "x"), id="sha256"),
        pytest.param(lambda facts: facts.pop("files"), id="no files"),
        pytest.param(lambda facts: facts.update(digest="0" * 64), id="digest"),
        pytest.param(lambda facts: facts.update(format="torch_hub"), id="code"),
        pytest.param(lambda facts: facts.update(format="weights"), id="another format"),
        pytest.param(renamed("con"), id="a device"),
        pytest.param(renamed("what?"), id="no name on Windows"),
        pytest.param(renamed("a" * 300), id="a long name"),
        pytest.param(renamed("a/" * 3000 + "a"), id="many folders"),
        pytest.param(renamed("MODEL.safetensors"), id="two of a name"),
        pytest.param(renamed("model.safetensors/a"), id="a file and a folder"),
        pytest.param(lambda facts: crowd(facts, 0), id="empty"),
        pytest.param(lambda facts: crowd(facts, 10_001), id="ten thousand files"),
    ],
)
def test_a_hostile_manifest_is_refused_and_the_hub_asked(
    folder: Bench, change: Change, caplog: pytest.LogCaptureFixture
) -> None:
    forge(folder, change)
    assert is_right(folder.empty.acquire(NAME))
    assert "is refused" in caplog.text
    assert "manifests/huggingface/" in caplog.text
    assert folder.requests() > 0
    assert not list(folder.empty.cache.parent.rglob("escaped"))


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 200_000, b'{"schema": 1}',
        b'{"schema": NaN}', b" " * (17 * 1024 * 1024),
    ],
    ids=["empty", "cut", "list", "null", "binary", "deep", "bare", "nan", "large"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["manifests", "refs"])
def test_what_is_no_document_is_refused_and_the_hub_asked(
    folder: Bench, kind: str, data: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    for name in folder.inside.documents(kind):
        folder.inside.write(name, data)
    assert is_right(folder.empty.acquire(NAME))
    assert "is refused" in caplog.text


@pytest.mark.parametrize("fact", ["asked", "ref", "name", "revision"])
def test_a_ref_of_something_else_is_refused(
    folder: Bench, fact: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in folder.inside.documents("refs"):
        led = {**json.loads(folder.inside.read(name)), fact: "../../../other"}
        folder.inside.write(name, json.dumps(led).encode())
    assert is_right(folder.empty.acquire(NAME))
    assert "in the remote" in caplog.text


def test_a_ref_without_its_manifest_is_named(
    folder: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    (name,) = folder.inside.documents("manifests")
    folder.inside.delete(name)
    assert is_right(folder.empty.acquire(NAME))
    assert f"{name} in the remote" in caplog.text


def test_no_address_of_a_manifest_is_ever_asked(folder: Bench) -> None:
    """Where an object is missing, the hub is asked as if there were no remote."""

    def change(facts: dict[str, Any]) -> None:
        for file in facts["files"]:
            file["url"] = f"{folder.site.downloads.url}/trap"

    forge(folder, change)
    for name in folder.objects():
        folder.inside.delete(name)
    assert is_right(folder.empty.acquire(NAME))
    assert folder.site.log.gets("trap") == 0


@pytest.mark.parametrize(
    ("fact", "said"), [({}, "begins with f37072fd"), ({"architecture": "resnet50"}, "resnet50")]
)
def test_weights_under_torchvisions_name_are_torchvisions(
    shared: Bench, fact: dict[str, Any], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = shared.site.add_download("/mine.pth", b"mine")
    stored = shared.full.pipeline().acquire(
        request("torchvision:resnet18@weights-mine", weights=url, kind="vision")
    )
    shared.push(replace(stored, revision="IMAGENET1K_V1", refs=("",), **fact))
    with pytest.raises(UnavailableError):  # What is asked instead does not have it.
        shared.empty.acquire("torchvision:resnet18")
    assert said in caplog.text
    assert "is refused" in caplog.text
    assert shared.empty.visible() == []
