"""A process that makes something from a model in a cache, and prints what it came to.

Usage: `python child_derive.py ORDER`; ORDER is a JSON object: `cache`, and if wanted `second`,
`user` (become that user first), `waits` (say "ready", begin when a line comes), `log` (a file that
gets a line for each call of `write`), `stalls` (say "writing" midway, and wait for a line), and
`kills` (fork, and have the child killed before its first, second, ... change to the cache).
"""

import json
import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from pytest_potmodels.artifacts import StoredFile, StoredModel
from pytest_potmodels.errors import PotModelsError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.store.derived import DerivedModel, DerivedStore
from pytest_potmodels.store.disk import delete
from pytest_potmodels.store.layout import Layout

KEY = "0123abcd-aligned-1"
CHANGES = ("open", "os.chmod", "os.mkdir", "os.remove", "os.rename", "os.rmdir")
SOURCE = StoredModel(
    id=ModelId("huggingface", "org/model"),
    path=Path("model"),
    kind="language",
    format="transformers",
    files=(StoredFile("f", 1, "a" * 64),),
)


def store(order: dict[str, Any]) -> DerivedStore:
    second = order.get("second")
    return DerivedStore(Layout.at(Path(order["cache"])), second=Path(second) if second else None)


def admit(order: dict[str, Any]) -> DerivedModel:
    def write(stage: Path) -> dict[str, Any]:
        left = [path.name for path in stage.iterdir()]
        if "log" in order:
            with Path(order["log"]).open("a") as log:
                log.write(f"{os.getpid()}\n")
            time.sleep(0.3)
        (stage / "weights.bin").write_bytes(b"half")
        if order.get("stalls"):
            say("writing")
            sys.stdin.readline()
        (stage / "sub").mkdir()
        (stage / "sub" / "index").write_bytes(b"0 64")
        (stage / "weights.bin").write_bytes(b"whole" * 1000)
        return {"left": left}

    return store(order).admit(KEY, SOURCE, {}, write, timeout=60)


def die_before(number: int, folder: str) -> None:
    """Have this process killed, as by `kill -9`, just before a change to files in a folder."""
    seen = 0

    def hook(event: str, details: tuple[Any, ...]) -> None:
        nonlocal seen
        if event not in CHANGES or not str(details[0]).startswith(folder):
            return
        # For `open`, flags: a look is no change.
        if event == "open" and not details[2] & (os.O_WRONLY | os.O_RDWR):
            return
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def killed_everywhere(order: dict[str, Any]) -> int:
    """How many changes there are; after a death before each, the next process has it right."""
    step = 0
    while True:
        step += 1
        child = os.fork()
        if child == 0:
            die_before(step, order["cache"])
            admit(order)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        layout = Layout.at(Path(order["cache"]))
        there = store(order).find(KEY)
        assert there is None or store(order).verify(there) == (), step
        made = admit(order)
        assert store(order).verify(made) == (), step
        assert made.facts == {"left": []}, step
        assert not list(layout.partial.glob("*")), step
        assert not list(layout.quarantine.glob("*")), step
        delete(layout.root)
        if status == 0:
            return step - 1
        assert os.WIFSIGNALED(status), status


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(order: dict[str, Any]) -> dict[str, Any]:
    if "user" in order:
        os.setuid(order["user"])
    if order.get("kills"):
        return {"steps": killed_everywhere(order)}
    if order.get("waits"):
        say("ready")
        sys.stdin.readline()
    try:
        made = admit(order)
    except PotModelsError as error:
        return {"error": str(error)}
    return {"path": str(made.path), "pid": os.getpid(), "facts": dict(made.facts)}


if __name__ == "__main__":
    logging.basicConfig(level="DEBUG")
    say(json.dumps(main(json.loads(sys.argv[1]))))
