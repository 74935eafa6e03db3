"""The models of one process, ready to be copied: opened once, the least recently used let go."""

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Literal

from pytest_potmodels.artifacts import LoadedModel, LoadOptions, StoredModel, filled
from pytest_potmodels.heavy_imports import collector_off, collector_paused
from pytest_potmodels.loading import complete, load, opened, require_device
from pytest_potmodels.store.derived import DerivedStore

#: Formats whose models come from files, and what the first of them imports. A stand-in is drawn
#: anew faster than it is mapped.
_IMPORTED_BY = {
    "transformers": "transformers.modeling_utils",
    "torchvision": "torchvision.models",
    "torch_hub": "torch",
}
_Key = tuple[Hashable, ...]
#: Models that are kept, however small: each holds two file descriptors or more, and macOS gives a
#: process 256.
_MOST = 50

#: Paused, and what a heavy import brought is frozen; paused; or as Python has it.
Collector = Literal["freeze", "pause", "keep"]


class Originals:
    """Gives a pristine model at each call.

    Needs no torch to be made: it is part of every pipeline, and most runs load nothing.
    """

    def __init__(
        self,
        derived: DerivedStore,
        *,
        budget: int,
        timeout: float,
        collector: Collector,
        watch: bool = False,
    ) -> None:
        """Keep at most `budget` bytes of weights ready, but always the last model used.

        Args:
            derived: where aligned weights are kept.
            budget: bytes.
            timeout: seconds to wait for another process that derives the same weights.
            collector: what becomes of the garbage collector while a model is opened.
            watch: whether `changes` will be asked for.
        """
        self._derived = derived
        self._budget = budget
        self._timeout = timeout
        self._collecting = collector
        self._watch = watch
        self._open: OrderedDict[_Key, Any] = OrderedDict()
        self._lock = threading.RLock()

    def load(self, stored: StoredModel, options: LoadOptions, *, device: str) -> LoadedModel:
        """A pristine model: what `loading.load` gives, bit for bit.

        Raises:
            MissingPackageError: a library that the format needs cannot be imported.
            UnavailableError: the files do not make a model (reason not-loadable).
            UsageError: options that the model does not have, or a device that is not there.
        """
        if stored.kind == "lut":
            return self._lut(stored, options, device)
        if stored.format not in _IMPORTED_BY:
            return load(stored, options, device=device)
        key = (stored.path, stored.digest, stored.revision, stored.architecture, options)
        with self._lock:
            if key not in self._open:
                with self._collector(stored.format):
                    return complete(self._lent(key, stored, options, device))
            return self._lent(key, stored, options, device)

    def _lut(self, stored: StoredModel, options: LoadOptions, device: str) -> LoadedModel:
        """A LUT network, or its stand-in: torch comes in when a test looks at the module."""
        key = ("lut", stored.path, stored.digest, stored.id, options)
        room = opened("pytest_potmodels.loading.lut")
        with self._lock:
            original = self._original(key, lambda: room.open_lut(stored, options))
        if device != "cpu":
            require_device(device)
        lent: LoadedModel = original.lend(stored, device)
        return lent

    def _lent(
        self, key: _Key, stored: StoredModel, options: LoadOptions, device: str
    ) -> LoadedModel:
        is_elsewhere = device != "cpu"  # Even to stay there, `to` would walk through all tensors.
        if is_elsewhere:
            require_device(device)
        original = self._original(key, lambda: self._opened(stored, options))
        model = original.copies.copy()
        if is_elsewhere:
            model = model.to(device)
        return filled(original.blank, stored, model)

    def build(
        self, stored: StoredModel, make: Callable[[Path], Any], scratch: Path, *, device: str
    ) -> LoadedModel:
        """A pristine copy of what a user's callable makes of a model's folder, called once.

        Args:
            stored: the model whose folder `make` gets.
            make: the callable.
            scratch: a folder in which processes that build the same share its weights.
            device: where a torch module is put.
        """
        building = opened("pytest_potmodels.loading.built_originals")
        key = (stored.path, stored.digest, building.identity(make))
        with self._lock:
            original = self._original(key, lambda: building.open_built(stored, make, scratch))
            model = original.copies.copy()
        return filled(original.blank, stored, building.on_device(model, device))

    def changes(self) -> list[tuple[str, str]]:
        """The name of each model with a changed copy, and what was changed in it."""
        with self._lock:
            return [
                (str(original.blank.id), said)
                for original in self._open.values()
                for said in original.copies.changes()
            ]

    def settle(self) -> None:
        """A test is over: put back what it wrote, and let go of what outlives it."""
        with self._lock:
            for original in self._open.values():
                original.copies.settle()

    def _collector(self, model_format: str) -> AbstractContextManager[None]:
        """What opening a model does to the garbage collector: the first of a format imports."""
        if self._collecting == "keep":
            return nullcontext()
        if self._collecting == "pause" or _IMPORTED_BY[model_format] in sys.modules:
            return collector_off()
        return collector_paused(freeze=True)

    def _opened(self, stored: StoredModel, options: LoadOptions) -> Any:
        return opened("pytest_potmodels.loading.original").open_original(
            stored, options, self._derived, timeout=self._timeout
        )

    def _original(self, key: _Key, open_it: Callable[[], Any]) -> Any:
        if key not in self._open:
            self._open[key] = open_it()
            self._open[key].copies.watch = self._watch
            self._evict()
        self._open.move_to_end(key)
        return self._open[key]

    def _evict(self) -> None:
        """Let the least recently used go; copies that tests hold live on by themselves."""
        while len(self._open) > _MOST or (len(self._open) > 1 and self._ready > self._budget):
            self._open.popitem(last=False)

    @property
    def _ready(self) -> int:
        return sum(original.size_bytes for original in self._open.values())
