"""ModelManager: the models of a program, each under the name that it gave."""

import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

from pytest_potmodels import extras
from pytest_potmodels.artifacts import Kind, LoadedModel, ModelRequest
from pytest_potmodels.downloader import ModelDownloader, get_model_downloader
from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.loading import opened
from pytest_potmodels.loading.options import check


@dataclass(frozen=True, eq=False)
class _Kept:
    """A model in memory, and what was asked for."""

    request: ModelRequest
    device: str
    loaded: LoadedModel


class ModelManager:
    """Keeps models in memory under names. Threads may share one."""

    def __init__(self) -> None:
        #: Held while a model is fetched and loaded; those that are there serve meanwhile.
        self._loading = threading.RLock()
        self._lock = threading.RLock()
        self._kept: dict[str, _Kept] = {}

    def load_model(  # noqa: PLR0913 - the keywords of `pot.load`
        self,
        identifier: str,
        name: str | None = None,
        *,
        kind: Kind | None = None,
        task: str | None = None,
        auto_class: str | None = None,
        dtype: str | None = None,
        device: str | None = None,
    ) -> LoadedModel:
        """Load a model and keep it under a name; fetched first where it is not there.

        The same model under the same name again is the one that is kept. Without a name the
        identifier ("resnet18", "hf:org/model@v1") is its name. The keywords are `pot.load`'s.

        Raises:
            UsageError: what cannot be meant; or another model has the name.
            UnavailableError: it cannot be had or loaded; `.reason` says why.
            DigestMismatchError: its bytes are wrong and could not be mended.
        """
        downloader = get_model_downloader()
        request = downloader.pipeline.catalog.request(
            identifier, kind=kind, task=task, auto_class=auto_class, dtype=dtype
        )
        check(request.options)
        where = _device(device or downloader.settings.device)
        under = _checked(identifier if name is None else name)
        return self._keep(under, request, where, downloader)

    def predict(self, name: str, data: Any) -> Any:
        """What a model makes of data, in evaluation mode and without gradients.

        Args:
            name: as given to `load_model`.
            data: a tensor or array (a batch, as the model takes it); a text, or several, for a
                model with a tokenizer; an image of PIL, or several; a list of tensors or arrays,
                one example each, which become a batch; a mapping, whose values become the
                model's arguments. Numbers with a fraction take the model's number type.

        Raises:
            UnknownNameError: no model of that name, with close matches.
            UsageError: data that this model cannot take.
        """
        return opened("pytest_potmodels.model_manager.prediction").predict(self._find(name), data)

    def unload(self, name: str) -> None:
        """Let go of a model; its files stay.

        Raises:
            UnknownNameError: no model of that name, with close matches.
        """
        with self._lock:
            self._find(name)
            del self._kept[name]

    def list(self) -> dict[str, LoadedModel]:
        """The models in memory by name, in the order in which they were loaded."""
        with self._lock:
            return {name: kept.loaded for name, kept in self._kept.items()}

    def _keep(
        self, name: str, request: ModelRequest, device: str, downloader: ModelDownloader
    ) -> LoadedModel:
        # One at a time: the second of two threads with one name finds the model of the first.
        with self._loading:
            kept = self._kept.get(name)
            if kept is None:
                kept = _Kept(request, device, downloader.obtain(request, device=device))
                with self._lock:
                    self._kept[name] = kept
            elif _asked(kept.request, kept.device) != _asked(request, device):
                raise _taken(name, kept, request.asked)
            return kept.loaded

    def _find(self, name: str) -> LoadedModel:
        with self._lock:
            if _checked(name) not in self._kept:
                raise UnknownNameError(
                    "loaded model",
                    name,
                    self._kept,
                    remedy=f"loaded are: {', '.join(self._kept) or 'none'}; load_model(...) first",
                )
            return self._kept[name].loaded


@cache
def get_model_manager() -> ModelManager:
    """The manager of this process; what it holds outlives a change of settings."""
    return ModelManager()


def _checked(name: object) -> str:
    if isinstance(name, str):
        return name
    raise UsageError(f"{name!r} is no name for a model in memory.", remedy="give a text")


def _asked(request: ModelRequest, device: str) -> tuple[object, ...]:
    return (request.id, request.kind, request.options, request.weights, device)


def _taken(name: str, kept: _Kept, identifier: str) -> UsageError:
    return UsageError(
        f"{name!r} is {kept.request.id} on {kept.device} already, as it was asked for then; "
        f"{identifier!r} is another one, or is asked for otherwise.",
        remedy=f"give it another name=, or unload({name!r}) first",
    )


def _device(setting: str) -> str:
    """`auto` is the first GPU, where there is one."""
    if setting != "auto":
        return setting
    return "cuda" if extras.require("torch").cuda.is_available() else "cpu"
