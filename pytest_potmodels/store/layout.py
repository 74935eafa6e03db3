"""Where things lie in the cache folder.

<cache>/
  CACHEDIR.TAG  README.txt
  models/<entry>/            plain files, read-only; model_info.json is the manifest
  derived/<key>/             files made from a model, with a manifest of their own
  .pot/locks/<entry>.lock    one process at a time brings a model
  .pot/partial/<entry>/      a model on its way in; a killed download resumes here
  .pot/state/<entry>.json    stat signatures of files that were hashed (this machine only)
  .pot/used/<entry>          its time is when the entry was used last (this machine only)
  .pot/came/<entry>.json     when and how each file came (this machine only)
  .pot/leases/<process>.*    what running processes use, which nothing removes
  .pot/in_place/<entry>.json manifests of models used where they lie (this machine only)
  .pot/failed-exports/<key>.json  what could not be made lately, and why (this machine only)
  .pot/quarantine/<entry>-…/ files that were not what their manifest says
"""

import contextlib
import errno
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pytest_potmodels.errors import StoreError, UsageError
from pytest_potmodels.identifiers import SOURCES, ModelId

MANIFEST = "model_info.json"

#: The signature that backup tools look for: https://bford.info/cachedir/
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# Created by pytest-potmodels.\n"
_README = (
    "Models fetched by pytest-potmodels. Safe to delete as a whole; better: potmodels clear\n"
    "Each folder in models/ is one model; its model_info.json lists files, digests and origin.\n"
    "Each folder in derived/ was made from a model, and is made again when it is needed.\n"
)
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
#: Leaves room for suffixes below the 255 bytes that file systems allow.
_LONGEST = 120
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Layout:
    """The folders of one cache."""

    root: Path
    models: Path
    machine: Path

    @classmethod
    def at(cls, cache_dir: Path) -> "Layout":
        """The layout of a cache folder."""
        return cls(root=cache_dir, models=cache_dir / "models", machine=cache_dir / ".pot")

    @classmethod
    def of_models_folder(cls, folder: Path) -> "Layout":
        """The layout of a folder that holds the entries themselves (a project's `models/`)."""
        return cls(root=folder, models=folder, machine=folder / ".pot")

    def entry(self, name: str) -> Path:
        """The folder of an admitted model."""
        return self.models / name

    def lock(self, name: str) -> Path:
        """The lock file of an entry; names that differ only in case share it."""
        return self.machine / "locks" / f"{name.casefold()}.lock"

    def stage(self, name: str) -> Path:
        """The folder of a model on its way in."""
        return self.partial / name

    def signatures(self, name: str) -> Path:
        """The recorded stat signatures of an entry's files."""
        return self.machine / "state" / f"{name}.json"

    def used(self, name: str) -> Path:
        """The file whose time is when an entry was used last."""
        return self.machine / "used" / name

    def came(self, name: str) -> Path:
        """The record of when and how each file of an entry came."""
        return self.machine / "came" / f"{name}.json"

    @property
    def leases(self) -> Path:
        """Where running processes write down what they use."""
        return self.machine / "leases"

    def in_place(self, name: str) -> Path:
        """The manifest of a model that is used where it lies."""
        return self.machine / "in_place" / f"{name}.json"

    @property
    def derived(self) -> Path:
        """The folder of what was made from models; beside the entries in a models folder."""
        return self.root / "derived"

    @property
    def partial(self) -> Path:
        """Where models on their way in lie."""
        return self.machine / "partial"

    @property
    def quarantine(self) -> Path:
        """Where bad files are moved."""
        return self.machine / "quarantine"

    def prepare(self) -> None:
        """Create the cache folder; with tag and README, if nothing of others is there.

        Raises:
            StoreError: the folder cannot be written.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            if self._is_empty():
                # In a folder of others both would say too much: backups pass over a tagged one.
                self._label("CACHEDIR.TAG", _TAG)
                self._label("README.txt", _README)
            for folder in (self.models, self.machine / "locks", self.machine / "state"):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(self.root, error) from error

    def is_all_ours(self) -> bool:
        """Whether the folder was made for this cache: then all that is in it came from here.

        A project's `models/` never was.
        """
        with contextlib.suppress(OSError, UnicodeDecodeError):
            tag = (self.root / "CACHEDIR.TAG").read_text(encoding="utf-8")
            return self.models != self.root and tag == _TAG
        return False

    def _is_empty(self) -> bool:
        """Whether nothing is in the folder but what has a hidden name."""
        try:
            return all(each.name.startswith(".") for each in self.root.iterdir())
        except PermissionError:
            return False  # One may be let in without being shown what is there.

    def _label(self, name: str, text: str) -> None:
        target = self.root / name
        if not target.exists():
            target.write_text(text, encoding="utf-8")


def is_full(error: OSError) -> bool:
    """Whether the disk, or this user's share of it, has no room left."""
    return error.errno in _FULL


def unwritable(folder: Path, error: OSError) -> StoreError:
    """The error for a cache folder that does not take files."""
    free = "free some space (potmodels remove), or " if is_full(error) else ""
    return StoreError(
        f"The model cache {folder} cannot be written: {error.strerror or error}.",
        remedy=f"{free}choose another with --pot-cache-dir or POT_CACHE_DIR, "
        "or fill this one beforehand with `potmodels warm`",
    )


def entry_name(model_id: ModelId, label: str | None = None) -> str:
    """The folder name of a model: `huggingface_org--name`; safe on every file system.

    `label` is a name wished for, in place of the model's own.
    """
    if label is not None:
        return f"{model_id.source}_{label}"
    if model_id.source == "url":
        # A URL says too much, too: its file's name and a hash of the whole.
        name = unquote(urlsplit(model_id.name).path).rpartition("/")[2]
        return f"url_{_safe(name)}-{short_hash(model_id.name)}"
    if model_id.source == "file":
        # A path says too much and may be too long: its last part and a hash of the whole.
        return f"file_{_safe(Path(model_id.name).name)}-{short_hash(model_id.name)}"
    return f"{model_id.source}_{_safe(model_id.name.replace('/', '--'))}"


def checked_label(label: str) -> str:
    """A name wished for, if a folder can have it on every file system.

    Raises:
        UsageError: it cannot.
    """
    if not _LABEL.fullmatch(label) or len(label) > _LONGEST or label.endswith("."):
        raise UsageError(
            f"{label!r} is no name for a folder in the cache.",
            remedy=f"take letters, digits, '.', '_' and '-', at most {_LONGEST} of them",
        )
    return label


def source_in(name: str) -> str:
    """The source at the beginning of a folder's name; "" if there is none."""
    return next((source for source in SOURCES if name.startswith(f"{source}_")), "")


def revision_suffix(revision: str) -> str:
    """The end of the folder name of a second revision: `@rev8` of a commit, else all of it."""
    return f"@{revision[:8] if _COMMIT.fullmatch(revision) else _safe(revision)}"


def in_place_name(model_id: ModelId, folder: Path) -> str:
    """The record name of a model used where it lies: one for each name and folder."""
    return f"{entry_name(model_id)}-{short_hash(str(folder))}"


def short_hash(text: str) -> str:
    """Eight hex digits that tell names apart."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _safe(name: str) -> str:
    safe = _UNSAFE.sub("_", name)
    # Windows drops a dot at the end.
    if len(safe) <= _LONGEST and not safe.endswith("."):
        return safe
    return f"{safe[: _LONGEST - 9].rstrip('.')}-{short_hash(name)}"
