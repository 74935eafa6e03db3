"""The values that the steps exchange: request -> resolved -> stored -> loaded."""

import copy
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Literal, cast

from pytest_potmodels import extras
from pytest_potmodels.digests import Digest, digest_of_files
from pytest_potmodels.identifiers import ModelId

Kind = Literal["vision", "language", "lut"]
#: How a folder is turned into an object: the key of the registry in `loading/`.
Format = Literal["transformers", "torchvision", "torch_hub", "lut", "mock", "weights", "onnx"]
Origin = Literal["pretrained", "cached", "mock"]

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class LoadOptions:
    """How to build the object: head, number type, seed of whatever the files do not fix."""

    task: str | None = None
    auto_class: str | None = None
    dtype: str | None = None
    seed: int = 0
    #: Runtime overrides of a LUT network, as JSON with sorted keys; "" for none.
    runtime: str = ""


@dataclass(frozen=True)
class ModelRequest:
    """What somebody asked for: a model, what it is used as, and how to load it."""

    id: ModelId
    asked: str
    kind: Kind
    options: LoadOptions = LoadOptions()
    #: A URL whose weights replace the architecture's own.
    weights: str | None = None
    #: Whether `kind` was stated or known, rather than assumed.
    kind_known: bool = True
    #: The torchvision network that a single weights file belongs to.
    architecture: str | None = None
    #: What is promised of the file behind a URL.
    sha256: str | None = None
    #: A wish for the folder's name: `url_LABEL`.
    label: str | None = None
    #: The URL to ask, with what may not stand in an id: credentials, signatures.
    address: str | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class RemoteFile:
    """One file of a model: its place in the folder, where its bytes are, what they must be."""

    path: PurePosixPath
    url: str
    size: int | None = None
    digests: tuple[Digest, ...] = ()
    #: Bytes as upstream rounds them: for plans and limits, never a check.
    size_hint: int | None = None


@dataclass(frozen=True)
class ResolvedModel:
    """A source's answer: which files, from where, with which digests."""

    id: ModelId
    kind: Kind
    format: Format
    files: tuple[RemoteFile, ...] = ()
    #: The immutable name of this content: a commit, a weights name.
    revision: str | None = None
    #: Other names of the same model (an old id without its organisation).
    aliases: tuple[str, ...] = ()
    architecture: str | None = None
    origin: str = ""
    license: str = "unknown"
    gated: bool = False
    #: The folder or file to use where it lies, without a copy.
    in_place: Path | None = None
    #: A wish for the name of the entry's folder, behind its source.
    label: str | None = None
    #: The remote whose manifest this is and that has its objects; "" is the source's own answer.
    remote: str = ""

    @property
    def size(self) -> int:
        """Bytes in all, as far as upstream states them."""
        return sum(file.size or file.size_hint or 0 for file in self.files)


@dataclass(frozen=True)
class Repository:
    """What a hub says of a repository, at one commit; nothing of it is fetched."""

    id: ModelId
    #: Its name now, where it was asked for by an old one.
    name: str
    revision: str
    #: Every file, with its size where the hub states it.
    files: Mapping[str, int | None]
    #: As the hub read them in config.json; "" and () where there is none.
    model_type: str = ""
    architectures: tuple[str, ...] = ()
    library: str = ""
    task: str = ""
    tags: tuple[str, ...] = ()
    license: str = "unknown"
    gated: bool = False


@dataclass(frozen=True)
class StoredFile:
    """One file of a stored model, with the digest of the bytes that were admitted."""

    path: str
    size: int
    sha256: str
    url: str = ""
    #: How the bytes came just now, if not over the network: "adopted from PATH".
    came: str = field(default="", compare=False)


@dataclass(frozen=True)
class StoredModel:
    """A model on disk, and all its manifest says."""

    id: ModelId
    path: Path
    kind: Kind
    format: Format
    files: tuple[StoredFile, ...]
    revision: str | None = None
    #: Branches, tags and "" (the default) that were resolved to this revision.
    refs: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    architecture: str | None = None
    origin: str = ""
    license: str = "unknown"
    gated: bool = False
    in_place: bool = False
    #: Whether this call brought the files, rather than finding them.
    fresh: bool = field(default=False, compare=False)

    @property
    def digest(self) -> str:
        """One sha256 over the digests and paths of all files."""
        return digest_of_files({file.path: file.sha256 for file in self.files})

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class Later:
    """A part of a model that is made when somebody first looks at it."""

    make: Callable[[], Any]


class Part:
    """A field of a dataclass that takes a value, or a `Later` that makes it."""

    def __init__(self, default: Any) -> None:
        self._default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object | None, owner: type | None = None) -> Any:
        if instance is None:  # The dataclass asks for the default.
            return self._default
        value = vars(instance)[self._name]
        if isinstance(value, Later):
            value = vars(instance)[self._name] = value.make()
        return value

    def __set__(self, instance: object, value: Any) -> None:
        vars(instance)[self._name] = value


@dataclass(frozen=True, eq=False, repr=False)
class LoadedModel:
    """A model that a test can call.

    Calling it calls `.model`. `.source` is "pretrained" for the first model after its fetch,
    "cached" or "mock".
    """

    id: ModelId
    model: Any
    source: Origin
    kind: Kind
    tokenizer: Any = Part(None)
    processor: Any = Part(None)
    transforms: Any = Part(None)
    categories: tuple[str, ...] = ()
    config: Mapping[str, Any] = cast(Mapping[str, Any], Part(Later(dict)))
    path: Path | None = None
    #: sha256 over the files; "" for a mock, which has none.
    digest: str = ""
    revision: str | None = None
    #: Why this is no mapping of the weights that all processes share; "" if it is one.
    not_mapped: str = ""

    def __repr__(self) -> str:
        return f"LoadedModel({self.id}, {self.source}, {self.kind}, {self.memory_mb:.1f} MB)"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the model."""
        return self.model(*args, **kwargs)

    @property
    def is_mock(self) -> bool:
        """Whether this is a stand-in without real weights."""
        return self.source == "mock"

    @cached_property
    def memory_mb(self) -> float:
        """Size of parameters and buffers, in MiB."""
        return size_of(self.model) / MEGABYTE

    @cached_property
    def checksum(self) -> str:
        """The sha256 over the sorted state dict, as it was when first asked for."""
        return state_checksum(self.model.state_dict())


def template(loaded: LoadedModel, *, not_mapped: str = "", size_bytes: int) -> LoadedModel:
    """What all copies of a model have in common; parts that nobody has looked at stay unmade."""
    # Not dataclasses.replace, here and below: it looks at the parts, and so makes them.
    same = copy.copy(loaded)
    config = loaded.config
    vars(same).update(
        model=None,
        not_mapped=not_mapped,
        memory_mb=size_bytes / MEGABYTE,
        config=Later(lambda: copy.deepcopy(config)),
    )
    return same


def filled(blank: LoadedModel, stored: StoredModel, model: Any) -> LoadedModel:
    """A template with a model, as it was asked for and found this time."""
    same = copy.copy(blank)
    source = "pretrained" if stored.fresh else "cached"
    vars(same).update(model=model, id=stored.id, kind=stored.kind, source=source)
    return same


def size_of(module: Any) -> int:
    """Bytes of a module's parameters and buffers; 0 for what is no torch module."""
    if not hasattr(module, "parameters") or not hasattr(module, "buffers"):
        return 0
    tensors = {id(t): t for t in (*module.parameters(), *module.buffers())}
    return sum(t.numel() * t.element_size() for t in tensors.values())


def state_checksum(state: Mapping[str, object]) -> str:
    """The sha256 of a state dict: per sorted name its name, dtype, shape and bytes.

    Entries that are no tensors (extra state) count by their `repr`.
    """
    torch = extras.require("torch")
    total = hashlib.sha256()
    for name in sorted(state):
        value = state[name]
        if not isinstance(value, torch.Tensor):
            total.update(f"{name} {value!r}\n".encode())
            continue
        tensor = value.detach().cpu().contiguous()
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        # Through uint8, because numpy knows no bfloat16.
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()
