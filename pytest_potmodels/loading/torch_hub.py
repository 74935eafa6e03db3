"""Load what an entry point of PyTorch Hub makes, from the stored folder alone."""

from collections.abc import Mapping
from importlib import metadata
from typing import Any

import torch
from torch import nn

from pytest_potmodels.artifacts import LoadedModel, LoadOptions, StoredModel
from pytest_potmodels.errors import UsageError
from pytest_potmodels.loading.built import Built
from pytest_potmodels.loading.placement import number_type, seeded
from pytest_potmodels.loading.torch_hub_code import CODE, run_entry
from pytest_potmodels.loading.torch_hub_routes import RefusedError, cut_off, routed
from pytest_potmodels.loading.weights_file import not_loadable

#: Packages, if they are there, that such code takes its networks from.
_BUILDERS = ("numpy", "timm", "torchvision", "transformers")


def build(stored: StoredModel, options: LoadOptions) -> Built:
    """What the entry point makes, with the files that it fetched when the model was brought.

    Whether its code may run is the caller's to ask.

    Raises:
        MissingPackageError: a package that the repository needs is not installed.
        UnavailableError: the code fails, wants a file that is not there, or makes no module.
        UsageError: a head; the entry point decides that.
    """
    _check_head(stored, options)

    def fetch(url: str, path: str, _prefix: str) -> None:
        raise RefusedError(
            f"its code wants {path} ({url}), which it did not fetch when the model was brought"
        )

    folder = stored.path.resolve()
    with seeded(options), routed(folder, fetch), cut_off():
        model = run_entry(str(stored.id), folder, stored.architecture or "")
    if not isinstance(model, nn.Module):
        raise not_loadable(
            stored,
            f"its entry point gives a {type(model).__name__}, no torch module",
            remedy=f'take its folder: pot_models.load("{stored.id}", build=lambda folder: '
            f'torch.hub.load(str(folder / "{CODE}"), "{stored.architecture}", source="local")...)',
        )
    return Built(model.eval().to(dtype=number_type(options)), _facts(stored))


def skeleton(stored: StoredModel, _options: LoadOptions, _facts: Mapping[str, Any]) -> nn.Module:
    """There is none: only the code knows the network, and it reads weights as it goes."""
    raise NotImplementedError(f"only the code of {stored.id} knows its network")


def dress(
    stored: StoredModel, _options: LoadOptions, model: nn.Module, _facts: Mapping[str, Any]
) -> LoadedModel:
    """The model, and where its code is from."""
    return LoadedModel(
        id=stored.id,
        model=model,
        source="pretrained" if stored.fresh else "cached",
        kind=stored.kind,
        config={
            "repository": stored.origin,
            "commit": stored.revision,
            "entry": stored.architecture,
        },
        path=stored.path,
        digest=stored.digest,
        revision=stored.revision,
    )


def versions() -> dict[str, str]:
    """What is installed of which such code builds its networks."""
    return {"torch": torch.__version__, **{name: _version(name) for name in _BUILDERS}}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _facts(stored: StoredModel) -> Mapping[str, Any]:
    if any(not file.path.startswith(f"{CODE}/") for file in stored.files):
        return {}
    said = f"{stored.id} fetched no weights: what its code does not hold is drawn at random"
    return {"warnings": [said]}


def _check_head(stored: StoredModel, options: LoadOptions) -> None:
    for key in ("task", "auto_class"):
        if getattr(options, key) is not None:
            raise UsageError(
                f"{stored.id} is what its entry point makes; {key}={getattr(options, key)!r} does "
                "not apply.",
                remedy="leave it out",
            )
