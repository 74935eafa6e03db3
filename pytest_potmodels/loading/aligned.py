"""Aligned weights: derived once from a stored model, mapped by every process from then on.

What is derived is an index (where each tensor lies) and, unless the model's own file can be
mapped as it is, a torch file with all tensors of the model as its own library loads it.
"""

import hashlib
import json
import logging
import pickle
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from pytest_potmodels.artifacts import LoadOptions, StoredModel
from pytest_potmodels.loading import Loader
from pytest_potmodels.loading.built import Built
from pytest_potmodels.loading.mapped import index, tensor_file
from pytest_potmodels.loading.mapped.adoption import Placed, adopt, placed
from pytest_potmodels.loading.mapped.blueprint import Blueprint
from pytest_potmodels.loading.mapped.casting import Cast, cast_all
from pytest_potmodels.loading.mapped.index import ALIGNMENT, TensorAt
from pytest_potmodels.loading.mapped.inventory import Item, UnmappableError, by_name, inventory
from pytest_potmodels.loading.mapped.likeness import first_difference, same_tensor
from pytest_potmodels.loading.mapped.region import Region
from pytest_potmodels.loading.mapped.without_numbers import without_numbers
from pytest_potmodels.store.derived import DerivedModel, DerivedStore

_log = logging.getLogger(__name__)

#: Counts up when the index or the way of deriving changes.
_SCHEMA = 1
_WEIGHTS = "weights.pt"
#: The end of a file, beside its tensors: names and the zip's table.
_MARGIN = 1 << 20


@dataclass(frozen=True, eq=False)
class Mapped:
    """A model whose tensors lie over a file."""

    master: nn.Module
    placed: tuple[Placed, ...]
    path: Path
    region: Region
    facts: Mapping[str, Any]

    @property
    def size_bytes(self) -> int:
        """Bytes of all tensors."""
        places = (each.place for each in self.placed)
        return sum(place.numel * place.torch_dtype.itemsize for place in places)


class Aligner:
    """Gives a stored model's master over aligned weights; derives them where there are none."""

    def __init__(
        self, stored: StoredModel, options: LoadOptions, loader: Loader, derived: DerivedStore
    ) -> None:
        self._stored = stored
        self._options = options
        self._loader = loader
        self._derived = derived
        #: What the stock loader built in this process, if it had to.
        self.built: Built | None = None

    def master(self, *, timeout: float) -> Mapped:
        """The model over its aligned weights.

        Raises:
            UnmappableError: its tensors cannot be mapped.
            StoreError: the weights cannot be stored.
            UnavailableError: the files do not make a model.
        """
        versions = self._loader.versions()
        key = self._key(versions)
        found = self._derived.find(key) or self._derived.admit(
            key,
            self._stored,
            versions,
            self._derive,
            timeout=timeout,
            room=self._stored.size + _MARGIN,
        )
        return self._over(found)

    def _key(self, versions: Mapping[str, str]) -> str:
        """A name for all that the derived files depend on."""
        stored = self._stored
        inputs = {
            "schema": _SCHEMA,
            "format": stored.format,
            "digest": stored.digest,
            "architecture": stored.architecture,
            "revision": stored.revision,
            "in_place": stored.in_place,
            "options": asdict(self._options),
            "versions": dict(versions),
            "byteorder": sys.byteorder,
        }
        text = json.dumps(inputs, sort_keys=True)
        return f"aligned-{hashlib.sha256(text.encode()).hexdigest()[:20]}"

    def _over(self, found: DerivedModel) -> Mapped:
        """The master over what was derived: a skeleton where it is proven to be the model."""
        try:
            path = self._weights(found)
            tensors = index.from_json(found.facts["tensors"], path.stat().st_size)
            master = self._master(found.facts["differs"], found.facts["loader"])
        except (KeyError, TypeError, ValueError, OSError) as error:
            raise UnmappableError(
                f"{found.path} has no index that can be read ({type(error).__name__}: {error})"
            ) from error
        region = Region(path, None)
        return Mapped(master, adopt(master, tensors, region), path, region, found.facts["loader"])

    def _weights(self, found: DerivedModel) -> Path:
        own = found.facts["own"]
        if not own:
            return found.path / _WEIGHTS
        if own not in [file.path for file in self._stored.files]:
            raise ValueError(f"{own!r} is no file of {self._stored.id}")
        return self._stored.path / str(own)

    def _master(self, differs: str, facts: Mapping[str, Any]) -> nn.Module:
        if self.built is not None:
            return self.built.model
        if not differs:
            try:
                return self._skeleton(facts)
            # A constructor may depend on what else is installed; the library's own way decides.
            except Exception as error:  # noqa: BLE001
                _log.debug("%s has no skeleton: %s", self._stored.id, error)
        self.built = self._loader.build(self._stored, self._options)
        return self.built.model

    def _skeleton(self, facts: Mapping[str, Any]) -> nn.Module:
        with without_numbers():
            model: nn.Module = self._loader.skeleton(self._stored, self._options, facts)
        return model

    def _derive(self, folder: Path) -> dict[str, Any]:
        """Fill a folder of the store; what the stock loader builds is the truth."""
        self.built = built = self._loader.build(self._stored, self._options)
        items = inventory(built.model)
        own = self._own_file(items)
        path = self._stored.path / own if own else folder / _WEIGHTS
        try:
            if not own:
                tensor_file.write(path, by_name(items))
            tensors = located(items, path)
        except (ValueError, RuntimeError) as error:
            raise UnmappableError(str(error)) from error
        Blueprint(built.model, placed(items, tensors)).prove(Region(path, None))
        differs = self._difference(built, tensors, path)
        if differs:
            _log.debug(
                "%s is built by its own loader in each process: %s", self._stored.id, differs
            )
        return {
            "own": own,
            "tensors": index.as_json(tensors),
            "loader": dict(built.facts),
            "differs": differs,
        }

    def _own_file(self, items: list[Item]) -> str:
        """The model's own file, if it holds just these tensors, aligned; "" if not.

        A file outside the cache is never mapped: its owner may write to it.
        """
        files = self._stored.files
        if self._stored.in_place or len(files) != 1 or files[0].path.endswith(".safetensors"):
            return ""
        path = self._stored.path / files[0].path
        try:
            located(items, path)
        except (ValueError, RuntimeError, pickle.UnpicklingError) as error:
            _log.debug("%s is not mapped as it is: %s", path, error)
            return ""
        return files[0].path

    def _difference(self, built: Built, tensors: Iterable[TensorAt], path: Path) -> str:
        try:
            skeleton = self._skeleton(built.facts)
            adopt(skeleton, tensors, Region(path, None))
            return first_difference(skeleton, built.model)
        # Constructors of others may fail in any way where tensors have no numbers.
        except Exception as error:  # noqa: BLE001
            return f"{type(error).__name__}: {error}"


def located(items: list[Item], path: Path) -> tuple[TensorAt, ...]:
    """Where a file has the items, proven byte by byte.

    Raises:
        ValueError: the file has other tensors, or has them elsewhere than kernels like.
    """
    places = {place.names[0]: place for place in tensor_file.locate(path)}
    if set(places) != {item.names[0] for item in items}:
        strange = sorted(set(places) ^ {item.names[0] for item in items})
        raise ValueError(f"tensors beside the model's, or missing: {', '.join(strange[:3])}")
    tensors = tuple(replace(places[item.names[0]], names=item.names) for item in items)
    _prove(items, tensors, path)
    return tensors


def _prove(items: list[Item], tensors: Iterable[TensorAt], path: Path) -> None:
    """Compare every byte of the mapped tensors with the model's."""
    region = Region(path, None)
    casts = [Cast.of(place, item.tensor) for item, place in zip(items, tensors, strict=True)]
    for item, cast in zip(items, casts, strict=True):
        if cast.place.begin % ALIGNMENT:
            raise ValueError(f"{item.names[0]} begins at {cast.place.begin}: not aligned")
        (mapped,) = cast_all([cast], region.buffer)
        if not same_tensor(mapped, item.tensor):
            raise ValueError(f"{item.names[0]} differs")
