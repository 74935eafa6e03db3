"""The files of a trained model, written all together or not at all.

FOLDER/TYPE/NAME.yaml                the configuration, recipe, digests and metrics
FOLDER/TYPE/NAME.safetensors         weights; scores in float16, which changes no hardened bit
FOLDER/TYPE/NAME.hard.safetensors    the bits alone
FOLDER/TYPE/NAME.png                 the learning curve
"""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.configuration.documents import ENDINGS
from pytest_potmodels.lut.training.plan import Plan

#: What a circuit of bits can be made of.
_HARDENS = "feedforward"


@dataclass(frozen=True)
class Files:
    """Where each file goes; no circuit is made of a convnet."""

    weights: Path
    hardened: Path | None
    curve: Path
    config: Path

    @classmethod
    def of(cls, plan: Plan, folder: Path) -> "Files":
        """The files of a plan's model in a folder that `POT_LUT_PATH` may name."""
        kind = plan.config.model_type
        return cls._in(folder / kind, plan.name, hardens=kind == _HARDENS)

    @property
    def paths(self) -> tuple[Path, ...]:
        """All of them; the YAML, which names the others, at the end."""
        every = (self.weights, self.hardened, self.curve, self.config)
        return tuple(path for path in every if path is not None)

    def there(self) -> list[Path]:
        """Those that are there already, which a training would replace."""
        return [path for path in self.paths if path.exists()]

    @contextlib.contextmanager
    def staged(self) -> Iterator["Files"]:
        """Give files of the same names elsewhere, and move them here if the block succeeds.

        Raises:
            LUTError: the disk does not take them; before the block, if it takes none at all.
        """
        inside = self.config.parent
        try:
            inside.mkdir(parents=True, exist_ok=True)
            folder = tempfile.TemporaryDirectory(dir=inside, prefix=".new-")
        except OSError as error:
            raise _refused(inside, error) from error
        with folder as name:
            hardens = self.hardened is not None
            stage = self._in(Path(name), self.config.stem, hardens=hardens)
            yield stage
            try:
                for fresh, path in zip(stage.paths, self.paths, strict=True):
                    fresh.replace(path)
            except OSError as error:
                raise _refused(inside, error) from error

    @classmethod
    def _in(cls, folder: Path, name: str, *, hardens: bool) -> "Files":
        return cls(
            weights=folder / f"{name}{ENDINGS['weights'][0]}",
            hardened=folder / f"{name}{ENDINGS['hardened'][0]}" if hardens else None,
            curve=folder / f"{name}.png",
            config=folder / f"{name}.yaml",
        )


def _refused(folder: Path, error: OSError) -> LUTError:
    return LUTError(
        f"{folder} does not take the files: {error.strerror or error}.",
        remedy="name another folder with --out DIR",
    )
