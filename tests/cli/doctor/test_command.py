"""`potmodels doctor` as a whole: its lines, its JSON, its exit code."""

from pathlib import Path
from typing import Any

import pytest
from cli.harness import Cli

CHECKS = [
    "python", "packages", "settings", "CI", "cache", "locks", "filesystem", "disk", "models",
    "derived", "leftovers", "leases", "cleanup", "lock", "hub", "downloads", "token",
]  # fmt: skip


def without_torch(cli: Cli) -> None:
    """A torch that imports at once, so that the rest can be looked at quickly."""
    package = cli.folder / "fake" / "torch"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "__version__ = '9.9'\nclass cuda:\n    device_count = staticmethod(lambda: 0)\n"
    )
    vision = cli.folder / "fake" / "torchvision"
    vision.mkdir()
    (vision / "__init__.py").write_text("__version__ = '8.8'\n")
    cli.environ["PYTHONPATH"] = str(package.parent)


@pytest.fixture
def quick(cli: Cli) -> Cli:
    without_torch(cli)
    return cli


def findings(cli: Cli, *words: str, code: int = 0) -> dict[str, dict[str, Any]]:
    return {each["check"]: each for each in cli.json("doctor", *words, code=code)}


def test_a_healthy_machine_is_all_ok(quick: Cli) -> None:
    found = findings(quick)
    assert list(found) == [*CHECKS, "torch", "device", "torchvision"]
    assert {each["status"] for each in found.values()} == {"ok"}
    assert {tuple(each) for each in found.values()} == {("check", "status", "said", "remedy")}


def test_the_text_has_a_line_per_check(quick: Cli) -> None:
    lines = quick.run("doctor").stdout.splitlines()
    assert [line.split()[1] for line in lines][: len(CHECKS)] == CHECKS
    assert all(line.startswith("ok    ") for line in lines)


def test_quiet_leaves_what_is_not_ok(quick: Cli) -> None:
    assert quick.run("doctor", "--quiet").stdout == ""
    quick.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"
    said = quick.run("doctor", "--quiet", code=1).stdout.splitlines()
    assert [line.split()[0] for line in said] == ["fail", "to"]


def test_a_failed_check_is_exit_code_1_with_a_remedy(quick: Cli) -> None:
    quick.environ["HF_ENDPOINT"] = "http://127.0.0.1:9"
    hub = findings(quick, code=1)["hub"]
    assert hub["status"] == "fail"
    assert "127.0.0.1:9 is not reachable" in hub["said"]
    text = quick.run("doctor", code=1).stdout
    assert "to mend it: check the connection, name a mirror with --mirror OLD=NEW" in text


def test_doctor_leaves_the_cache_as_it_is(quick: Cli, stored: Path) -> None:
    before = sorted(str(path) for path in quick.cache.rglob("*"))
    findings(quick)
    assert sorted(str(path) for path in quick.cache.rglob("*")) == before


def test_a_lock_that_cannot_be_read_fails_alone(quick: Cli) -> None:
    (quick.folder / "potmodels.lock").write_text("version = 9\n")
    found = findings(quick, code=1)
    assert found["lock"]["status"] == "fail"
    assert "potmodels.lock" in found["lock"]["said"]
    assert {each["status"] for check, each in found.items() if check != "lock"} == {"ok"}


def test_offline_asks_nobody(quick: Cli) -> None:
    quick.environ |= {"HF_TOKEN": "hf_secret"}
    found = findings(quick, "--offline")
    assert len(quick.site.log) == 0
    assert found["token"]["status"] == "ok"
    assert "closed by" in found["hub"]["said"]


def test_no_secret_is_shown(quick: Cli) -> None:
    quick.environ |= {
        "HF_TOKEN": "hf_verysecret",
        "POT_MIRRORS": f"https://download.pytorch.org=http://me:verysecret@{quick.site.downloads.url[7:]}",
        "HTTPS_PROXY": "http://me:verysecret@127.0.0.1:9",
    }
    done = quick.run("doctor", code=None)
    assert "present, from HF_TOKEN" in done.stdout
    assert "verysecret" not in done.stdout + done.stderr
