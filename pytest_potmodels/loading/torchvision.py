"""Build a torchvision classifier from a stored weights file, through torchvision's own builder."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
from torch import nn

from pytest_potmodels.artifacts import Later, LoadedModel, LoadOptions, StoredModel
from pytest_potmodels.errors import UsageError
from pytest_potmodels.loading.built import Built
from pytest_potmodels.loading.options import CLASSIFICATION
from pytest_potmodels.loading.placement import number_type, seeded
from pytest_potmodels.loading.torchvision_custom import build_custom, class_count
from pytest_potmodels.loading.torchvision_guard import import_torchvision
from pytest_potmodels.loading.torchvision_shape import cut, cut_off, shape_of
from pytest_potmodels.loading.weights_file import State, misfit, not_loadable, read_state


class StoredWeights:
    """A member of a torchvision weights enum whose file is on disk already.

    A builder takes it for the member (`__class__` says so, the rest is forwarded) and goes its
    stock way: class count, auxiliary heads, renamed keys. What it would have downloaded comes
    from the stored file, without patching anything global for that.
    """

    def __init__(self, member: Any, state: State) -> None:
        self._member = member
        self._state = state

    @property  # type: ignore[misc] # an object's own class can be assigned, this one not
    def __class__(self) -> type:
        return type(self._member)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._member, name)

    def get_state_dict(self, *_args: Any, **_options: Any) -> State:
        """What the member would have downloaded."""
        return self._state


def build(stored: StoredModel, options: LoadOptions) -> Built:
    """The classifier of `stored.architecture`, as torchvision itself builds it.

    `stored.revision` names torchvision's weights; without it the file is the user's own, and
    the number of classes is read off it.

    Raises:
        MissingPackageError: torchvision is not there, or broken.
        UnavailableError: the file is damaged, or does not fit the architecture.
        UsageError: a head that a classifier does not have.
    """
    _check_head(stored, options)
    models = import_torchvision().models
    member = _members(models, stored).__members__.get(stored.revision or "")
    with seeded(options):
        model = build_custom(models, stored) if member is None else _build(models, stored, member)
    facts = {"num_classes": class_count(model), "shape": shape_of(model), "cut": cut_off(model)}
    return Built(model.eval().to(dtype=number_type(options)), facts)


def skeleton(stored: StoredModel, _options: LoadOptions, facts: Mapping[str, Any]) -> nn.Module:
    """The same network without numbers."""
    models = import_torchvision().models
    shape = {"num_classes": facts["num_classes"], **facts["shape"]}
    model: nn.Module = models.get_model(stored.architecture, weights=None, **shape)
    cut(model, facts["cut"])
    return model.eval()


def dress(
    stored: StoredModel, _options: LoadOptions, model: nn.Module, facts: Mapping[str, Any]
) -> LoadedModel:
    """The network with its transforms and categories.

    They are those of the weights; for a user's own they are the default's where the number of
    classes agrees, else none.
    """
    members = _members(import_torchvision().models, stored)
    member = members.__members__.get(stored.revision or "")
    known = member or members.DEFAULT
    categories = tuple(known.meta["categories"] or ())
    fits = member is not None or facts["num_classes"] == len(categories)
    return LoadedModel(
        id=stored.id,
        model=model,
        source="pretrained" if stored.fresh else "cached",
        kind=stored.kind,
        transforms=Later(known.transforms) if fits else None,
        categories=categories if fits else (),
        config=_config(stored, facts["num_classes"]),
        path=stored.path,
        digest=stored.digest,
        revision=stored.revision,
    )


def versions() -> dict[str, str]:
    """What decides how a model is built."""
    return {"torch": torch.__version__, "torchvision": import_torchvision().__version__}


def _build(models: Any, stored: StoredModel, member: Any) -> nn.Module:
    """The stock builder's model, from the stored file."""
    weights = StoredWeights(member, read_state(stored))
    try:
        model: nn.Module = models.get_model(stored.architecture, weights=weights)
    except (RuntimeError, ValueError) as error:
        raise misfit(stored, error) from error
    return model


def _members(models: Any, stored: StoredModel) -> Any:
    """The weights enum of the architecture."""
    try:
        return _weights_enum(models, stored.architecture)
    except ValueError as error:
        what = f"the installed torchvision has no architecture {stored.architecture!r}"
        raise not_loadable(stored, what, remedy="pip install --upgrade torchvision") from error


@cache
def _weights_enum(models: Any, architecture: str | None) -> Any:
    """Torchvision reads it off a builder's annotations, as long as a small model takes to copy."""
    return models.get_model_weights(architecture)


def _config(stored: StoredModel, classes: int) -> dict[str, Any]:
    return {
        "architecture": stored.architecture,
        "weights": stored.revision,
        "num_classes": classes,
        "license": stored.license,
    }


def _check_head(stored: StoredModel, options: LoadOptions) -> None:
    if options.auto_class is not None or options.task not in (None, CLASSIFICATION):
        asked = f"auto_class={options.auto_class!r}" if options.auto_class else None
        raise UsageError(
            f"{stored.id} is a classifier; {asked or f'task={options.task!r}'} does not apply.",
            remedy=f"leave it out, or write task={CLASSIFICATION!r}",
        )
