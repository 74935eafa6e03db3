"""The ONNX form of a model: exported once per machine, a session that the tests of a process share.

A session keeps no state between runs, so each test gets a `LoadedOnnx` of its own around it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_potmodels import extras, onnx_export
from pytest_potmodels.artifacts import MEGABYTE, LoadedModel, LoadOptions, ModelRequest, StoredModel
from pytest_potmodels.errors import MissingPackageError, UsageError
from pytest_potmodels.loading import onnx_files, opened, require_packages
from pytest_potmodels.loading.onnx_files import OnnxFiles
from pytest_potmodels.onnx_export import recipes
from pytest_potmodels.onnx_export.int8 import int8
from pytest_potmodels.opening import open_derived
from pytest_potmodels.pipeline import Pipeline, format_of
from pytest_potmodels.session.export_lines import ExportLines
from pytest_potmodels.session.threads import own_threads

if TYPE_CHECKING:
    from pytest_potmodels.loading.onnx_session import LoadedOnnx

#: What is in eight bits is within this of its output's largest value: three times what was seen.
_INT8_TOLERANCE = 0.05
#: Sessions that are kept; those that tests hold live on by themselves.
_MOST = 16


@dataclass(frozen=True, eq=False)
class _Open:
    """A session, and what is known of its file."""

    session: Any
    files: OnnxFiles
    tolerance: float
    #: Why its weights are not shared with other processes; "" if they are, or are few.
    not_mapped: str = ""


def _to_nobody(_text: str) -> None:
    """Show nothing."""


class OnnxForms:
    """Gives the models of a pipeline as ONNX; `say` shows a line to who waits for one."""

    def __init__(self, pipeline: Pipeline, say: Callable[[str], None] = _to_nobody) -> None:
        self._pipeline = pipeline
        self._say = say
        self._open: OrderedDict[Hashable, _Open] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def way(self, form: str) -> "OnnxWay":
        """The way to models in a form: "onnx", "onnx-int8"."""
        return OnnxWay(partial(self.obtain, variant=form.partition("-")[2]))

    def obtain(
        self, request: ModelRequest, *, device: str = "cpu", variant: str = ""
    ) -> LoadedModel:
        """The model as ONNX; raises what `onnx_export.exported` and opening it raise."""
        request, variant = self._checked(request, variant)
        stored = replace(self._pipeline.acquire(request), kind=request.kind)
        key = (stored.path, stored.digest, stored.id, stored.revision, request.architecture,
               request.options, repr(recipes.registered()), variant, device)  # fmt: skip
        with self._alone_with(key):
            known = self._open.get(key) or self._opened(request, stored, device, variant)
            with self._lock:
                self._open[key] = known
                self._open.move_to_end(key)
                while len(self._open) > _MOST:
                    self._open.popitem(last=False)
        return _handed_out(known, stored, request.options, variant)

    def make(self, request: ModelRequest, form: str) -> None:
        """Have the file that `obtain` opens; raises what it raises."""
        request, variant = self._checked(request, form.partition("-")[2])
        stored = replace(self._pipeline.acquire(request), kind=request.kind)
        self._files(request, stored, variant)

    def _checked(self, request: ModelRequest, variant: str) -> tuple[ModelRequest, str]:
        self._require(request)
        if request.id.source == "mock":  # A stand-in has one form, however the model is loaded.
            return replace(request, options=LoadOptions()), ""
        return request, variant

    def _alone_with(self, key: Hashable) -> threading.Lock:
        """One thread makes a session; others may have those that are there meanwhile."""
        with self._lock:
            return self._making.setdefault(key, threading.Lock())

    def _require(self, request: ModelRequest) -> None:
        """Make sure that what the ONNX form takes is installed; nothing is imported.

        Raises:
            MissingPackageError: with the pip line; not for the libraries of a model whose file is
                there already.
        """
        extras.require_installed("onnxruntime")
        try:
            if (known := format_of(request)) is not None:
                require_packages(known)
        except MissingPackageError:
            if onnx_export.find(self._pipeline, request) is None:
                raise

    def _opened(
        self, request: ModelRequest, stored: StoredModel, device: str, variant: str
    ) -> _Open:
        files, tolerance = self._files(request, stored, variant)
        threads, settings = own_threads(), self._pipeline.settings
        if device != "cpu":
            opening = opened("pytest_potmodels.loading.onnx_session")
            session = opening.open_session(files.file, threads=threads, device=device)
            return _Open(session, files, tolerance)
        optimising = opened("pytest_potmodels.loading.onnx_optimised")
        derived = open_derived(settings)
        got = optimising.Optimiser(derived, settings.timeout, threads).open(files, stored)
        return _Open(got.session, files, tolerance, got.not_shared)

    def _files(
        self, request: ModelRequest, stored: StoredModel, variant: str
    ) -> tuple[OnnxFiles, float]:
        if stored.format == "onnx" and not variant:
            return onnx_files.of_stored(stored), onnx_files.TOLERANCE
        if stored.format == "onnx":
            raise UsageError(
                f"{request.asked} came as ONNX; variant={variant!r} is made of PyTorch models.",
                remedy="leave the variant out",
            )
        settings = self._pipeline.settings
        name = str(request.id) if request.id.source == "mock" else request.asked
        tell, timeout = ExportLines(f"{name} {variant}".strip(), self._say), settings.timeout
        made = onnx_export.exported(self._pipeline, request, timeout=timeout, on_line=tell)
        small = variant and int8(
            made, stored, open_derived(settings), timeout=timeout, on_line=tell
        )
        tell.done()
        if small:
            return OnnxFiles(small.file, small.digest, small.size), _INT8_TOLERANCE
        return OnnxFiles(made.file, made.digest, made.size), made.tolerance


class OnnxWay:
    """A pipeline whose models are ONNX."""

    def __init__(self, obtain: Any) -> None:
        self._obtain = obtain

    def obtain(self, request: ModelRequest, *, device: str = "cpu") -> LoadedModel:
        """The model that was asked for, or its stand-in, as ONNX."""
        model: LoadedModel = self._obtain(request, device=device)
        return model


def _handed_out(
    known: _Open, stored: StoredModel, options: LoadOptions, variant: str
) -> "LoadedOnnx":
    opening = opened("pytest_potmodels.loading.onnx_session")
    own: Path = known.files.file.parent
    answers = opening.ports(known.session.get_outputs())
    classes = answers[0].axes[-1] if answers and answers[0].axes else 0
    parts = opened("pytest_potmodels.loading.onnx_parts").parts(stored, options, classes)
    model: LoadedOnnx = opening.LoadedOnnx(
        id=stored.id,
        model=known.session,
        source=_source(stored),
        kind=stored.kind,
        path=own,
        digest=known.files.digest if stored.format != "mock" else "",
        revision=stored.revision,
        not_mapped=known.not_mapped,
        inputs=opening.ports(known.session.get_inputs()),
        outputs=answers,
        tolerance=known.tolerance,
        variant=variant,
        **parts,
    )
    vars(model)["memory_mb"] = known.files.size / MEGABYTE
    return model


def _source(stored: StoredModel) -> str:
    if stored.format == "mock":
        return "mock"
    return "pretrained" if stored.fresh else "cached"
