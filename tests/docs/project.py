"""A reader who does what a section says: writes its files, types its commands, looks at the output.

What runs is what is written. Only `pip install` is not run: the package must be one that is
installed here, with extras that exist; a local folder is put on the path with its entry points.
Nor is `make`: the target must exist.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

from docs.markdown import ROOT, Block
from docs.output import differences
from packaging.requirements import Requirement

from pytest_potmodels.settings.environment import CI_VARIABLES

_ASSIGNMENT = re.compile(r"[A-Z_]+=")
_EXIT_CODE = re.compile(r"\s+# exit code (\d+)$")
_PATIENCE = 240


@dataclass
class Project:
    """An empty project folder and a home, with servers that have what the pages ask for."""

    folder: Path
    environ: dict[str, str]
    #: Test files that no command has run yet.
    _unread: set[str] = field(default_factory=set)

    def follow(self, blocks: list[Block]) -> None:
        """Do what a section says, and run the tests that it leaves to the reader."""
        for block in blocks:
            match block.kind:
                case "python" | "toml" | "yaml":
                    self._write(block)
                case "console":
                    self._type(block)
        if self._unread:
            said = self._run(["pytest", "-rs"], blocks[-1].where)
            assert " skipped" not in said, said

    def _write(self, block: Block) -> None:
        if block.file is None:
            assert block.kind == "python", f"{block.where}: which file is this?"
            self._run_script(block)
            return
        target = self.folder / block.file
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("a", encoding="utf-8") as stream:
            stream.write(block.text + "\n")
        if target.name.startswith("test_"):
            self._unread.add(block.file)

    def _run_script(self, block: Block) -> None:
        script = self.folder / "script.py"
        script.write_text(block.text, encoding="utf-8")
        self._run(["python", "script.py"], block.where)

    def _type(self, block: Block) -> None:
        commands = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
        assert not commands[0].strip(), f"{block.where}: output before the first command"
        for command in commands[1:]:
            line, _, shown = command.partition("\n")
            said = self._command(line, block.where)
            wrong = differences(shown, said)
            assert not wrong, f"{block.where}: $ {line}\n{wrong}"

    def _command(self, line: str, where: str) -> str:
        expected = _EXIT_CODE.search(line)
        words = shlex.split(line, comments=True)
        match words:
            case ["pip", "install", *wanted]:
                self._check_installable(wanted, where)
                return ""
            case ["make", target, *_]:
                makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
                assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"{where}: make {target}"
                return ""
            case ["cd", name]:
                self._enter(name)
                return ""
        return self._run(words, where, code=int(expected[1]) if expected else 0)

    def _run(self, words: list[str], where: str, *, code: int = 0) -> str:
        given = {}
        while _ASSIGNMENT.match(words[0]):
            name, _, given[name] = words[0].partition("=")
            words = words[1:]
        assert words[0] in ("pytest", "potmodels", "python"), f"{where}: what is {words[0]!r}?"
        program = shutil.which(words[0], path=str(Path(sys.executable).parent))
        assert program, f"{words[0]} is not installed beside {sys.executable}"
        ended = subprocess.run(
            [program, *words[1:]],
            cwd=self.folder,
            env={**self.environ, **given},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=_PATIENCE,
            check=False,
        )
        shown = f"{where}: $ {shlex.join(words)}\n{ended.stdout}"
        assert ended.returncode == code, f"exit code {ended.returncode}, not {code}\n{shown}"
        if words[0] == "pytest":
            self._unread.clear()
        return ended.stdout

    def _enter(self, name: str) -> None:
        """Go into a copy of a folder of this repository, where names mean what they mean to all."""
        self.environ["PYTHONPATH"] = ""
        ignored = shutil.ignore_patterns(".*", "__pycache__")
        shutil.copytree(ROOT / name, self.folder / name, ignore=ignored)
        self.folder /= name

    def _check_installable(self, wanted: list[str], where: str) -> None:
        for word in wanted:
            if word.startswith("./"):
                self._install(self.folder / word)
                continue
            requirement = Requirement(word)
            found = metadata.metadata(requirement.name)
            extras = set(found.get_all("Provides-Extra") or ())
            assert requirement.extras <= extras, f"{where}: {word} has the extras {extras}"

    def _install(self, source: Path) -> None:
        """What an installer leaves of a pure package: its modules and its entry points."""
        project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        meta = source / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
        meta.mkdir()
        facts = f"Name: {project['name']}\nVersion: {project['version']}\n"
        meta.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\n{facts}")
        groups = project["entry-points"].items()
        lines = [
            f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in points.items())
            for group, points in groups
        ]
        meta.joinpath("entry_points.txt").write_text("".join(lines))
        self.environ["PYTHONPATH"] += os.pathsep + str(source)


def clean_environment(home: Path) -> dict[str, str]:
    """This process's variables without those that change settings, with a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not _changes_settings(name)}
    return {**kept, "HOME": str(home), "USERPROFILE": str(home), "PYTHONUTF8": "1"}


def _changes_settings(name: str) -> bool:
    foreign = ("POT_", "HF_", "TRANSFORMERS_", "PYTEST_", "PYTHON", "COLUMNS")
    return name.startswith(foreign) or name in CI_VARIABLES or name.upper().endswith("_PROXY")
