"""A process that asks for a model's ONNX file, as a test worker would: `python` this, told in JSON.

answer = ask(cache, "mock:vision")
with start(cache, "mock:vision") as process: ...
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_potmodels import onnx_export
from pytest_potmodels.artifacts import Kind, ModelRequest
from pytest_potmodels.errors import PotModelsError
from pytest_potmodels.identifiers import parse
from pytest_potmodels.pipeline import Pipeline, open_pipeline
from pytest_potmodels.settings.values import Settings

Answer = Mapping[str, Any]

HEAVY = ("torch", "transformers", "onnx", "onnxruntime", "onnxscript", "numpy", "psutil")


def open_cache(cache: Path) -> Pipeline:
    """A pipeline over a cache, with no network."""
    return open_pipeline(Settings(cache_dir=cache, closed_by="the test"))


def request(name: str) -> ModelRequest:
    """A request as the catalog would make it."""
    model_id = parse(name)
    assert model_id is not None, name
    kind: Kind = "vision" if name.startswith(("mock:vision", "torchvision")) else "language"
    return ModelRequest(model_id, name, kind)


@contextlib.contextmanager
def start(
    cache: Path, name: str, *, environ: Mapping[str, str] | None = None, **options: Any
) -> "Iterator[subprocess.Popen[str]]":
    """A process that asks; each line of its output is JSON, the last one its answer."""
    order = json.dumps({"cache": str(cache), "name": name, "options": options})
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-P", __file__, order],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environ or {})},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ask(cache: Path, name: str, **options: Any) -> Answer:
    """What a process gets that asks."""
    with start(cache, name, **options) as process:
        said, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    answer: dict[str, Any] = json.loads(said.splitlines()[-1])
    return {**answer, "lines": said.splitlines()[:-1], "stderr": errors}


def _main() -> None:
    order = json.loads(sys.argv[1])

    def say(line: str) -> None:
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    pipeline, wish = open_cache(Path(order["cache"])), request(order["name"])
    try:
        model = onnx_export.exported(pipeline, wish, on_line=say, **order["options"])
    except PotModelsError as error:
        tried = getattr(error, "tried", ())
        answer: dict[str, Any] = {
            "error": type(error).__name__,
            "message": str(error),
            "tried": tried,
        }
    else:
        answer = {"key": model.key, "file": str(model.file), "fresh": model.fresh,
                  "rung": model.rung, "digest": model.digest, "worst": model.worst}  # fmt: skip
    answer["imported"] = [name for name in HEAVY if name in sys.modules]
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    _main()
