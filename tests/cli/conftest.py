"""A command line with an empty cache, and a model to put into it."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli.harness import FILES, NAME, Cli
from standin import Repo, StandIn

from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.derived import DerivedModel, DerivedStore
from pytest_potmodels.store.layout import Layout

if TYPE_CHECKING:
    from cli.terminal import Terminal


@pytest.fixture
def cli(site: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line in an empty folder, with nothing of this machine's own settings."""
    for name in os.environ:
        if name.startswith(("POT_", "HF_", "TRANSFORMERS_")) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / ".git").mkdir()  # No configuration is looked for above it.
    monkeypatch.chdir(folder)
    made = Cli(site, folder)
    made.environ = {
        **site.environ(),
        "POT_CACHE_DIR": str(made.cache),
        "POT_DERIVED_DIR": str(folder / "derived-elsewhere"),
        "HF_HOME": str(folder / "hf"),
        "COLUMNS": "80",
    }
    return made


@pytest.fixture
def tiny(site: StandIn) -> Repo:
    """A repository with 102 kB of weights."""
    return site.add_repo("org/tiny", FILES, license="apache-2.0")


@pytest.fixture
def stored(cli: Cli, tiny: Repo) -> Path:
    """The folder of the tiny model, fetched."""
    cli.run("download", NAME)
    cli.site.log.clear()
    return cli.entry()


@pytest.fixture
def derived(cli: Cli, stored: Path) -> DerivedModel:
    """A folder with 4 kB that was made from the tiny model."""
    layout = Layout.at(cli.cache)
    (source,) = ModelStore(layout).entries()

    def write(stage: Path) -> dict[str, int]:
        (stage / "weights.bin").write_bytes(bytes(4000))
        return {"offset": 64}

    return DerivedStore(layout).admit("0123-aligned", source, {}, write, timeout=5)


@pytest.fixture
def terminal(cli: Cli) -> "Callable[..., Terminal]":
    """Starts the command line on a pseudo-terminal, where the system has them."""
    pytest.importorskip("pty")
    from cli.terminal import Terminal  # noqa: PLC0415 - cannot be imported on Windows

    return partial(Terminal, cli)
