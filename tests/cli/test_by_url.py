"""A model by URL on the command line: fetched, listed, shown, verified, removed."""

import hashlib
from pathlib import Path

import pytest
from cli.harness import Cli, spoil
from standin import Status

WEIGHTS = bytes(range(256)) * 400
HEX = hashlib.sha256(WEIGHTS).hexdigest()


@pytest.fixture
def url(cli: Cli) -> str:
    return cli.site.add_download("/a/m.pth", WEIGHTS)


def test_a_url_is_fetched_and_the_line_to_write_is_said(cli: Cli, url: str) -> None:
    said = cli.run("download", url)
    assert f"url:{url}" in said.stdout
    assert f"write url:{url}#sha256={HEX}" in " ".join(said.stderr.split())
    (there,) = cli.json("download", f"url:{url}#sha256={HEX}")
    assert (there["status"], there["source"], there["name"]) == ("there", "url", url)
    assert there["asked"] == f"url:{url}#sha256={HEX}"


def test_wrong_bytes_are_exit_code_4(cli: Cli, url: str) -> None:
    said = cli.fails("download", f"{url}#sha256={'0' * 64}", code=4)
    assert "is not what was promised" in said
    cli.run("download", url)
    assert "stored with other bytes" in cli.fails("download", f"{url}#sha256={'0' * 64}", code=4)
    assert "not what was promised" in cli.fails(
        "download", "--force", f"{url}#sha256={'0' * 64}", code=4
    )


def test_what_is_not_there_is_exit_code_3(cli: Cli, url: str) -> None:
    cli.site.fault(Status(404), "/a/m.pth")
    (failed,) = cli.json("download", url, code=3)
    assert (failed["reason"], failed["asked"]) == ("unknown-model", url)


@pytest.mark.parametrize(
    "name",
    ["http://elsewhere.example/m.pth", "https://", "https://host/", "ftp://host/m.pth",
     "https://host/..%2fetc", "https://host/m.pth#sha256=abc", "https://host/m.pth#egg=x"],
    ids=range(7),
)  # fmt: skip
def test_what_cannot_be_meant_is_exit_code_2(cli: Cli, name: str) -> None:
    assert "To mend it: " in cli.fails("download", name, code=2)
    assert len(cli.site.log) == 0


def test_by_force_it_is_said_what_has_changed(cli: Cli, url: str) -> None:
    cli.run("download", url)
    assert "is what it was" in cli.run("download", "--force", url).stderr
    cli.site.add_download("/a/m.pth", b"others")
    assert f"was {HEX}" in " ".join(cli.run("download", "--force", url).stderr.split())


def test_a_presigned_link_shows_nowhere_what_opens_it(cli: Cli, url: str) -> None:
    secret = url.replace("http://", "http://me:5ec4e7@") + "?X-Amz-Signature=5ec4e7"
    said = [cli.run("download", secret, "--debug"), cli.run("download", secret, "--json")]
    said += [cli.run(word, secret) for word in ("show", "verify", "why")]
    remote = ("--remote", str(cli.folder / "remote"))
    said += [cli.run("push", secret, *remote), cli.run("push", secret, "--json", *remote)]
    cli.site.fault(Status(404), "/a/m.pth")
    said += [cli.run("download", "--force", secret, code=3)]
    said += [cli.run("remove", secret), cli.run("show", secret, code=3)]
    said += [cli.run("download", secret + "#egg=x", code=2)]
    said += [cli.run("push", secret, *remote, code=3)]
    said += [cli.run("download", f"ftp://{secret.partition('://')[2]}", code=2)]
    said += [cli.run("download", "https://me:5ec4e7#5ec4e7@host/m.pth", code=2)]
    assert not any("5ec4e7" in each.stdout + each.stderr for each in said)
    written = [path for path in cli.folder.rglob("*") if path.is_file()]
    assert not any(b"5ec4e7" in path.read_bytes() for path in written)


@pytest.mark.parametrize("by", ["id", "url", "folder"])
def test_it_is_found_by_id_url_and_folder(cli: Cli, url: str, by: str) -> None:
    (stored,) = cli.json("download", f"{url}#sha256={HEX}")
    folder = Path(stored["path"])
    name = {"id": f"url:{url}", "url": url, "folder": folder.name}[by]
    assert cli.json("list")[0]["id"] == f"url:{url}"
    shown = cli.run("show", name).stdout
    assert HEX in shown
    assert url in shown
    assert cli.json("verify", name)[0]["status"] == "ok"
    cli.run("remove", name)
    assert not folder.exists()


def test_a_spoilt_file_is_found_and_fixed(cli: Cli, url: str) -> None:
    (stored,) = cli.json("download", url)
    file = Path(stored["path"]) / "m.pth"
    spoil(file)
    cli.run("verify", url, code=4)
    assert cli.json("verify", "--fix", url)[0]["status"] == "fixed"
    assert file.read_bytes() == WEIGHTS


def test_a_mirror_may_answer_for_plain_http(cli: Cli, url: str) -> None:
    rule = f"http://old.example={cli.site.downloads.url}"
    (stored,) = cli.json("download", "http://old.example/a/m.pth", "--mirror", rule)
    assert stored["name"] == "http://old.example/a/m.pth"


def test_fetching_by_url_needs_neither_torch_nor_the_hubs_client(cli: Cli, url: str) -> None:
    modules = ("torch", "torchvision", "numpy", "huggingface_hub")
    done = cli.process("download", f"{url}#sha256={HEX}", imports=modules)
    assert done.stderr.splitlines()[-1] == "imported:"
