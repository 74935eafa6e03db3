"""`potmodels` against a stand-in hub: in this process, and as a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from click.testing import CliRunner, Result
from standin import StandIn

from pytest_potmodels.cli.dispatch import potmodels
from pytest_potmodels.store.leases import let_go

NAME = "huggingface:org/tiny"
FILES = {
    "config.json": b'{"model_type": "bert"}',
    "model.safetensors": bytes(range(256)) * 400,
    "tokenizer.json": b"{}",
}
#: The console script, whatever the PATH. Ctrl-C works as in a shell, also where the tests
#: themselves run in the background. At the end: which of some modules were imported.
_RUN = """
import atexit, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
names = {names!r}
if names:
    atexit.register(lambda: print("imported:", *sorted(names & {{*sys.modules}}), file=sys.stderr))
from pytest_potmodels.cli import main
main()
"""


Child = subprocess.Popen[str]


class Output(NamedTuple):
    """What a process wrote."""

    stdout: str
    stderr: str


@dataclass
class Cli:
    """`potmodels` with a cache of its own; paths are relative to an empty folder."""

    site: StandIn
    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def cache(self) -> Path:
        return self.folder / "cache"

    def entry(self, name: str = "huggingface_org--tiny") -> Path:
        """The folder of a model."""
        return self.cache / "models" / name

    def run(self, *words: str, code: int | None = 0, stdin: str | None = None) -> Result:
        """Run a command in this process; it must end with `code` (None: any)."""
        result = CliRunner(env=self.environ).invoke(potmodels, words, input=stdin)
        let_go()  # As at the end of a process of its own.
        shown = f"{result.stdout}\n{result.stderr}"
        assert code in (None, result.exit_code), f"exit code {result.exit_code}\n{shown}"
        return result

    def json(self, *words: str, code: int = 0) -> Any:
        """Run a command with --json; all of stdout must be one document."""
        return json.loads(self.run(*words, "--json", code=code).stdout)

    def fails(self, *words: str, code: int) -> str:
        """Run a command in vain; return stderr, which must begin like an error of ours."""
        result = self.run(*words, code=code)
        assert "Traceback" not in result.stderr
        return result.stderr

    def start(self, *words: str, imports: Iterable[str] = (), **options: Any) -> Child:
        """Start a process; its output goes to pipes. It ends by saying which `imports` it did."""
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            [sys.executable, "-c", _RUN.format(names=set(imports)), *words],
            text=True,
            env={**os.environ, **self.environ},
            cwd=self.folder,
            **{**pipes, **options},
        )

    def process(self, *words: str, code: int = 0, imports: Iterable[str] = ()) -> Output:
        """Run a command as a process of its own, to its end."""
        with self.start(*words, imports=imports) as child:
            out, err = child.communicate(timeout=60)
        assert child.returncode == code, f"exit code {child.returncode}\n{out}\n{err}"
        return Output(out, err)

    def configure(self, text: str) -> None:
        """Write the project's potmodels.toml."""
        (self.folder / "potmodels.toml").write_text(text, encoding="utf-8")


def spoil(file: Path) -> None:
    """Change one byte of a file, and nothing else that shows."""
    data = bytearray(file.read_bytes())
    data[10] ^= 0xFF
    file.chmod(0o644)
    file.write_bytes(bytes(data))
