"""LUT networks for tests: bits by NumPy alone; the torch module when a test first looks at it."""

import copy
import dataclasses
import functools
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_potmodels.artifacts import (
    MEGABYTE,
    Later,
    LoadedModel,
    LoadOptions,
    Origin,
    Part,
    StoredModel,
)
from pytest_potmodels.loading import lut_files, opened
from pytest_potmodels.loading.lut_files import LutFiles
from pytest_potmodels.lut.configuration import ModelConfig

if TYPE_CHECKING:
    from pytest_potmodels.loading.built import Built
    from pytest_potmodels.loading.lut_modules import Modules
    from pytest_potmodels.lut import HardenedNetwork

_MODULES = "pytest_potmodels.loading.lut_modules"


def _nothing_to_harden() -> Any:
    raise AssertionError("a LoadedLut is made by `open_lut`")


@dataclass(frozen=True, eq=False, repr=False)
class LoadedLut(LoadedModel):  # type: ignore[misc]  # `model` has no default, but a descriptor
    """A LUT network: `.model` is the torch module, made when first looked at.

    `.hardened()` is the same network as bits, whose answers are integers; it needs NumPy alone.
    """

    model: Any = Part(dataclasses.MISSING)  # noqa: RUF009 - as the other parts: a descriptor
    #: How `.model` runs, in words.
    mode: str = ""
    _hardened: Callable[[], "HardenedNetwork"] = _nothing_to_harden

    def hardened(self) -> "HardenedNetwork":
        """The network of the files as bits: samples (N, F) -> counts (N, C), exact integers.

        What a test does to `.model` is not in it; `lut.harden(model)` makes bits of a module.

        Raises:
            MissingPackageError: NumPy is not installed.
            LUTError: a network that has no such form.
        """
        return self._hardened()

    def __repr__(self) -> str:
        return f"LoadedLut({self.id}, {self.source}, {self.mode})"


class LutCopies:
    """Gives modules of one network, each made when it is looked at."""

    watch = False

    def __init__(self, make: Callable[[Any], Any]) -> None:
        """Keep what makes a module, given the room in which torch is imported."""
        self._make = make
        self._modules: Modules | None = None
        self._lock = threading.Lock()

    def on(self, device: str) -> Later:
        """A new module on a device, later."""
        return Later(lambda: self.modules().fresh(device, watch=self.watch))

    def modules(self) -> "Modules":
        """What copies one module; torch comes in here.

        Raises:
            MissingPackageError: PyTorch is not installed.
        """
        with self._lock:
            if self._modules is None:
                room = opened(_MODULES)
                self._modules = room.Modules(lambda: self._make(room))
            return self._modules

    def copy(self) -> Later:
        """A new module on the CPU, later."""
        return self.on("cpu")

    def changes(self) -> Iterator[str]:
        """What was changed in modules that tests hold."""
        return self._modules.changes() if self._modules else iter(())

    def settle(self) -> None:
        """A test is over."""
        if self._modules:
            self._modules.settle()


@dataclass(frozen=True, eq=False)
class LutOriginal:
    """A network in this process, ready to be handed out."""

    copies: LutCopies
    blank: LoadedLut
    size_bytes: int

    def lend(self, stored: StoredModel, device: str) -> LoadedLut:
        """The network for one test, as it was asked for and found this time."""
        lent = copy.copy(self.blank)
        vars(lent).update(id=stored.id, source=_source(stored), model=self.copies.on(device))
        return lent


def open_lut(stored: StoredModel, options: LoadOptions) -> LutOriginal:
    """A stored network or the stand-in; neither torch nor NumPy is imported yet.

    Raises:
        LUTDigestError: a file is not the one that the YAML names.
        LUTError: its YAML cannot be meant.
    """
    if stored.format == "mock":
        config = lut_files.with_values(lut_files.stand_in(), options)
        copies = LutCopies(lambda room: room.of_stand_in(config, options.seed))
        hard = functools.partial(_hardened_stand_in, config, options.seed)
        return _original(stored, config, {}, copies, hard, lut_files.size_of(config))
    files = lut_files.of_stored(stored, options)
    copies = LutCopies(lambda room: room.of_files(files))
    hard = functools.partial(_hardened, files, copies)
    return _original(stored, files.config, files.facts, copies, hard, files.memory)


def _original(
    stored: StoredModel,
    config: ModelConfig,
    facts: Mapping[str, Any],
    copies: LutCopies,
    hard: Callable[[], Any],
    size: int,
) -> LutOriginal:
    known = {**config.as_plain(), **facts}
    blank = LoadedLut(
        id=stored.id,
        model=None,
        source=_source(stored),
        kind="lut",
        path=stored.path if stored.files else None,
        digest=stored.digest if stored.files else "",
        revision=stored.revision,
        mode=_mode(config),
        _hardened=functools.cache(hard),
    )
    vars(blank).update(config=Later(lambda: copy.deepcopy(known)), memory_mb=size / MEGABYTE)
    return LutOriginal(copies, blank, size)


def _source(stored: StoredModel) -> Origin:
    if stored.format == "mock":
        return "mock"
    return "pretrained" if stored.fresh else "cached"


def _mode(config: ModelConfig) -> str:
    mode: str = config.setting("eval_mode")
    if mode != "sampling":
        return mode
    return f"{mode}, num_samples {config.setting('num_samples')}, seed {config.setting('seed')}"


def _hardened(files: LutFiles, copies: LutCopies) -> "HardenedNetwork":
    room = opened("pytest_potmodels.lut.hardened")
    if files.hardened is None:
        network: HardenedNetwork = room.harden(copies.modules().fresh("cpu"))
        return network
    network = room.load_hardened(files.hardened)
    tau = files.config.output_tau
    return network if network.output_tau == tau else dataclasses.replace(network, output_tau=tau)


def _hardened_stand_in(config: ModelConfig, seed: int) -> "HardenedNetwork":
    network: HardenedNetwork = opened("pytest_potmodels.loading.lut_stand_in").hardened(
        config, seed
    )
    return network


# ---- The stock way: a module at once -----------------------------------------------------------


def build(stored: StoredModel, options: LoadOptions) -> "Built":
    """The network's module."""
    from pytest_potmodels.loading.built import Built  # noqa: PLC0415 - brings torch

    original = open_lut(stored, options)
    return Built(original.copies.modules().fresh("cpu"), {"original": original})


def dress(
    stored: StoredModel, _options: LoadOptions, model: Any, facts: Mapping[str, Any]
) -> LoadedLut:
    """The module with its bits."""
    lent: LoadedLut = facts["original"].lend(stored, "cpu")
    vars(lent)["model"] = model
    return lent
