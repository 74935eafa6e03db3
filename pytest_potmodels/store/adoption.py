"""Files that the user's own caches have already: Hugging Face's and torch hub's.

They are copied, sharing their bytes where the file system can do that, and hashed like what is
downloaded. The user's file itself is not moved, linked or chmodded.
"""

import contextlib
import logging
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_potmodels.artifacts import RemoteFile, ResolvedModel
from pytest_potmodels.store.plain_json import inside
from pytest_potmodels.store.reflinks import clone

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Adoption:
    """A supply of one model's files from those caches."""

    resolved: ResolvedModel
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def __call__(self, files: Sequence[RemoteFile], stage: Path) -> dict[str, str]:
        """Copy what is there of these files; says of each where it is from."""
        came = {}
        for file in files:
            for place in self._places(file):
                if _copied(place, file, stage):
                    came[str(file.path)] = f"adopted from {place}"
                    break
        return came

    def _places(self, file: RemoteFile) -> Iterator[Path]:
        """Where a file with a known digest may lie."""
        if not file.digests:
            return  # Any file of that name would do, and that is too little to go by.
        if self.resolved.id.source != "huggingface":
            yield torch_checkpoints(self.environ) / file.path.name
            return
        for known in (self.resolved.id.name, *self.resolved.aliases):
            name = known.partition(":")[0]  # Behind it is one file of the repository.
            folder = hugging_face_hub(self.environ) / f"models--{name.replace('/', '--')}"
            for digest in file.digests:
                yield folder / "blobs" / digest.value
            # Windows without the right to make links has the files themselves here.
            yield folder / "snapshots" / (self.resolved.revision or "main") / file.path


def hugging_face_hub(environ: Mapping[str, str]) -> Path:
    """The folder in which huggingface_hub keeps what it downloads, by its own variables."""
    home = environ.get("HF_HOME") or str(_caches(environ) / "huggingface")
    named = environ.get("HF_HUB_CACHE") or environ.get("HUGGINGFACE_HUB_CACHE")
    return _expanded(named or str(Path(home) / "hub"))


def torch_checkpoints(environ: Mapping[str, str]) -> Path:
    """The folder in which torch.hub keeps weights files, by its own variables."""
    home = environ.get("TORCH_HOME") or str(_caches(environ) / "torch")
    return _expanded(home) / "hub" / "checkpoints"


def _caches(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("XDG_CACHE_HOME") or "~/.cache")


def _expanded(path: str) -> Path:
    # As the others do it: a user that there is not stays as written. A Path would raise.
    return Path(os.path.expanduser(os.path.expandvars(path)))  # noqa: PTH111


def _copied(place: Path, file: RemoteFile, stage: Path) -> bool:
    """Copy a file into the stage, if it can be the one."""
    try:
        if not place.is_file():
            return False
        size = place.stat().st_size
        if file.size not in (None, size):
            _log.warning("%s has %s bytes, not %s: downloaded instead", place, size, file.size)
            return False
        _copy(place, stage / inside(str(file.path)))
    except (OSError, ValueError) as error:
        _log.info("%s is not adopted: %s", place, error)
        return False
    return True


def _copy(place: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    begun = target.with_name(f"{target.name}.adopting")
    try:
        with place.open("rb") as source, begun.open("wb") as copy:
            shared = clone(source, copy)
        if not shared:
            shutil.copyfile(place, begun)
        begun.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            begun.unlink()
        raise
