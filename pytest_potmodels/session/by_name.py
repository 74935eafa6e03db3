"""Models by name where no test runs: `pot.load`, `pot.fetch`. Neither needs pytest."""

from collections.abc import Mapping
from typing import Any

from pytest_potmodels.artifacts import Kind, LoadedModel, StoredModel
from pytest_potmodels.loading.options import check
from pytest_potmodels.pipeline import Pipeline, open_pipeline
from pytest_potmodels.session.arguments import with_runtime_values
from pytest_potmodels.session.devices import device_for
from pytest_potmodels.settings.resolution import resolve_here


def load(  # noqa: PLR0913 - the keywords of the markers, and the device
    name: str,
    *,
    kind: Kind | None = None,
    task: str | None = None,
    auto_class: str | None = None,
    dtype: str | None = None,
    architecture: str | None = None,
    device: str | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> LoadedModel:
    """Give the real model of a name, a fresh object at each call; never a stand-in for it.

    Args:
        name: as in a marker: "bert", "torchvision:resnet18", "hf:org/model@v1", your own entry.
        kind: what it is used as, where the name does not tell.
        task: the head, as the hub names it ("fill-mask"); without one there is none.
        auto_class: the class of transformers, in place of `task`.
        dtype: "float32" (the default), "float16" or "bfloat16".
        architecture: the torchvision network of a single weights file (by URL, or of file:).
        device: "cpu", "cuda", "cuda:1" or "auto", in place of the setting.
        overrides: runtime values of a LUT network: {"eval_mode": "deterministic"}.

    Raises:
        UsageError: a name, keyword or setting that cannot be meant.
        UnavailableError: it cannot be had or loaded; `.reason` says why.
        DigestMismatchError: its bytes are wrong and could not be mended.
        StoreError: the cache folder cannot be used.
    """
    pipeline = _pipeline()
    how = {"task": task, "auto_class": auto_class, "dtype": dtype, "architecture": architecture}
    request = pipeline.catalog.request(name, kind=kind, **how)
    check(request.options)
    request = with_runtime_values("load", request, overrides or {})
    where = device_for(device or pipeline.settings.device, worker="")
    return pipeline.obtain(request, device=where)


def fetch(name: str, *, again: bool = False) -> StoredModel:
    """Have a model's files on disk, verified; a model that is there costs no request.

    With `again`, its revision is resolved anew and its files are fetched anew.

    Raises:
        UsageError: a name or setting that cannot be meant.
        UnavailableError: it cannot be had; `.reason` says why.
        DigestMismatchError: its bytes are wrong and could not be mended.
        StoreError: the cache folder cannot be used.
    """
    pipeline = _pipeline()
    return pipeline.acquire(pipeline.catalog.request(name), again=again)


def _pipeline() -> Pipeline:
    return open_pipeline(resolve_here({}))
