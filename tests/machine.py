"""A computer with a model cache: pipelines in this process, and others in processes of their own.

machine = Machine(site, cache)
stored = machine.acquire("huggingface:org/model")
with machine.start("huggingface:org/model") as child: ...
outcome = machine.outcome(child)
"""

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from standin import StandIn

from pytest_potmodels.artifacts import Kind, ModelRequest, StoredModel
from pytest_potmodels.catalog.reader import build_catalog
from pytest_potmodels.errors import PotModelsError
from pytest_potmodels.identifiers import parse
from pytest_potmodels.pipeline import Pipeline
from pytest_potmodels.settings.values import Settings
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.layout import Layout
from pytest_potmodels.transfer import Transfer, TransferPolicy

PYTORCH = "https://download.pytorch.org"
#: What Python reports of every change to a file system, before it happens.
CHANGES = ("open", "os.chmod", "os.mkdir", "os.remove", "os.rename", "os.rmdir")


@dataclass(frozen=True)
class Machine:
    """A cache, and the servers that it is filled from; `options` are those of `pipeline`."""

    site: StandIn
    cache: Path
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def store(self) -> ModelStore:
        return ModelStore(Layout.at(self.cache))

    def where(self) -> dict[str, Any]:
        """The options of a pipeline over this cache and these servers."""
        usual = {"hub": self.site.hub.url, "mirrors": self.site.mirrors()}
        return {"cache": str(self.cache), **usual, **self.options}

    def pipeline(self, **options: Any) -> Pipeline:
        return open_pipeline(**{**self.where(), **options})

    def acquire(self, name: str, *, again: bool = False, **options: Any) -> StoredModel:
        return self.pipeline(**options).acquire(request(name), again=again)

    @contextlib.contextmanager
    def start(self, name: str, **options: Any) -> Iterator[Any]:
        """A process that acquires a model.

        Options besides the pipeline's: `again`, `weights`, `mock` (obtain under that policy),
        `waits` (it says when it is ready, and begins when it is told), and `dies_at`: (N, events),
        it is killed just before the Nth of these changes to the cache; see `CHANGES`.
        """
        order = json.dumps({"name": name, **self.where(), **options})
        with subprocess.Popen(
            [sys.executable, __file__, order],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as child:
            try:
                yield child
            finally:
                child.kill()

    def all_at_once(self, names: Sequence[str], **options: Any) -> list[dict[str, Any]]:
        """What processes come to that ask for a model each at the same moment."""
        with contextlib.ExitStack() as stack:
            children = [
                stack.enter_context(self.start(name, waits=True, **options)) for name in names
            ]
            for child in children:
                assert child.stdout.readline() == "ready\n", child.communicate()
            for child in children:
                child.stdin.write("go\n")
                child.stdin.flush()
            with ThreadPoolExecutor(len(children)) as pool:
                return list(pool.map(outcome, children))

    def visible(self) -> list[str]:
        """The entries that anybody could load."""
        return sorted(path.name for path in (self.cache / "models").glob("*"))

    def quarantine(self) -> list[Path]:
        folder = self.cache / ".pot" / "quarantine"
        return sorted(path for path in folder.rglob("*") if path.is_file())


def request(name: str, *, weights: str | None = None, kind: Kind = "language") -> ModelRequest:
    """A request as the catalog would make it."""
    model_id = parse(name)
    assert model_id is not None, name
    return ModelRequest(model_id, name, kind, weights=weights)


def _die_at(number: int, events: set[str], folder: str) -> None:
    """Have this process killed, as by `kill -9`, just before a change to files in a folder."""
    seen = 0

    def hook(event: str, details: tuple[Any, ...]) -> None:
        nonlocal seen
        if event not in events or not str(details[0]).startswith(folder):
            return
        # For `open`, flags: a look is no change.
        if event == "open" and not details[2] & (os.O_WRONLY | os.O_RDWR):
            return
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def outcome(child: Any) -> dict[str, Any]:
    """What a process came to."""
    said, errors = child.communicate(timeout=120)
    assert child.returncode == 0, errors
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return {**found, "log": errors}


def until(condition: Callable[[], Any], child: Any, *, seconds: float = 60) -> None:
    """Wait until something has happened in a running process."""
    end = time.monotonic() + seconds
    while not condition():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.002)


def open_pipeline(  # noqa: PLR0913 - each is one setting
    *,
    cache: str,
    hub: str,
    mirrors: Sequence[Sequence[str]],
    trust: Sequence[str] = (),
    token: str | None = None,
    closed_by: str = "",
    timeout: float = 30.0,
    **policy: Any,
) -> Pipeline:
    """The pipeline that settings would give, but with short waits."""
    settings = Settings(
        cache_dir=Path(cache),
        timeout=timeout,
        hub_endpoint=hub,
        mirror=tuple((old, new) for old, new in mirrors),
        trust=tuple(trust),
        closed_by=closed_by,
        remote=policy.pop("remote", None),
    )
    if "session_dir" in policy:
        policy["session_dir"] = Path(policy["session_dir"])
    usual = TransferPolicy(
        blocked=closed_by,
        timeout=timeout,
        retries=2,
        read_timeout=2.0,
        mirrors=settings.mirror,
        hub_endpoint=hub,
    )
    transfer = Transfer(replace(usual, **policy), token=lambda: token)
    store = ModelStore(Layout.at(settings.cache_dir))
    return Pipeline(settings, build_catalog({}, settings.where), store, transfer)


def _child(order: dict[str, Any]) -> dict[str, Any]:
    name, again, waits = order.pop("name"), order.pop("again", False), order.pop("waits", False)
    mock, weights = order.pop("mock", None), order.pop("weights", None)
    if fate := order.pop("dies_at", None):
        _die_at(fate[0], set(fate[1]), order["cache"])
    pipeline = open_pipeline(**order)
    wish = request(name, weights=weights)
    if waits:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
    try:
        if mock is None:
            stored = pipeline.acquire(wish, again=again)
            bad = pipeline.store.verify(stored, whole=True)
            return {"path": str(stored.path), "fresh": stored.fresh, "damages": len(bad)}
        from pytest_potmodels.fallback import obtain  # noqa: PLC0415 - brings torch

        got = obtain(pipeline, wish, mock=mock)
    except PotModelsError as error:
        reason = str(getattr(error, "reason", ""))
        return {"error": type(error).__name__, "reason": reason, "message": str(error)}
    return {"source": got.model.source, "substitute": str(got.substitute), "why": got.why}


if __name__ == "__main__":
    logging.basicConfig(level="DEBUG", format="%(name)s %(levelname)s %(message)s")
    sys.stdout.write(json.dumps(_child(json.loads(sys.argv[1]))) + "\n")
