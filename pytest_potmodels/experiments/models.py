"""The model of an experiment: which one is meant, a pristine one for each repeat, its record."""

from dataclasses import dataclass
from typing import Any

from pytest_potmodels.artifacts import Kind, LoadedModel
from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.errors import UnknownNameError
from pytest_potmodels.experiments.configuration import ExperimentConfig
from pytest_potmodels.model_setup import MinimalModelSetup, ModelConfig


@dataclass(frozen=True)
class Meant:
    """A preset's model, or, where `preset` is empty, the model of that name."""

    kind: Kind
    name: str
    preset: str = ""


@dataclass(frozen=True)
class ModelPin:
    """What a run used: enough to say later whether another one used the same.

    Attributes:
        kind: "vision" or "language".
        asked: the architecture as the plan names it.
        preset: the preset that it means; "" for a model of its own.
        id: the model that came.
        revision: the immutable name of its content; None for a mock.
        digest: sha256 over its files; "" for a mock, which has none.
        is_mock: whether it has no real weights.
        substitute: the reason's code if it stands in for another model, else "".
        why: the reason in words.
        device: where it was; the CPU where CUDA was asked for and is missing.
        memory_mb: MiB of parameters and buffers.
    """

    kind: str
    asked: str
    preset: str
    id: str
    revision: str | None
    digest: str
    is_mock: bool
    substitute: str
    why: str
    device: str
    memory_mb: float

    def identity(self) -> dict[str, Any]:
        """What the numbers depend on."""
        names = ("id", "revision", "digest", "is_mock", "substitute", "device")
        return {name: getattr(self, name) for name in names}


def model_meant(architecture: str, kind: Kind, catalog: Catalog) -> Meant:
    """The model that the words mean.

    A word of the mapping means its preset: "paper" and "bert" the preset `paper`. A word that is
    a model's name as well means that model, also where somebody has given the preset another one.

    Raises:
        UnknownNameError: neither mapped, nor a preset, nor a model; with close matches.
        UsageError: a model of the other kind ("bert" for vision).
    """
    words = {**{name: name for name in catalog.presets}, **catalog.architectures}
    if architecture not in words:
        _check_model(architecture, kind, catalog, words)
        return Meant(kind, architecture)
    preset = words[architecture]
    chosen = catalog.preset(preset, kind)
    if _is_model(architecture, catalog):
        named = catalog.request(architecture, kind=kind)
        if named.id != chosen.id:
            return Meant(kind, architecture)
    return Meant(kind, chosen.asked, preset)


def load(
    setup: MinimalModelSetup, config: ExperimentConfig, *, seed: int
) -> tuple[LoadedModel, ModelPin]:
    """The model that the configuration means, as nobody has touched it yet.

    Raises:
        UnavailableError: it cannot be had, and a mock may not stand in.
        DigestMismatchError: wrong bytes, or another checksum than the expected one.
        UsageError: a model or device that does not exist.
    """
    wanted = _wanted(config, seed)
    meant = model_meant(config.model_architecture, wanted.checked_type(), setup.pipeline.catalog)
    setup.clear_cache()  # What an earlier repeat trained is not what the next one starts from.
    wanted.preset = meant.preset
    named = not meant.preset
    loaded = setup.get_named_model(meant.name, wanted) if named else setup.get_model(wanted)
    (row,) = setup.get_memory_report()["models"]
    return loaded, _pin(loaded, meant, config, row)


def _wanted(config: ExperimentConfig, seed: int) -> ModelConfig:
    return ModelConfig(
        name=config.experiment_name,
        model_type=config.model_type,
        device=config.device,
        seed=seed,
        fallback_to_mock=config.fallback_to_mock,
        memory_limit_mb=config.memory_limit_mb,
        expected_checksum=config.expected_checksum,
    )


def _pin(
    loaded: LoadedModel, meant: Meant, config: ExperimentConfig, row: dict[str, Any]
) -> ModelPin:
    return ModelPin(
        kind=meant.kind,
        asked=config.model_architecture,
        preset=meant.preset,
        id=str(loaded.id),
        revision=loaded.revision,
        digest=loaded.digest,
        is_mock=loaded.is_mock,
        substitute=row["substitute"],
        why=row["why"],
        device=row["device"],
        memory_mb=round(loaded.memory_mb, 3),
    )


def _is_model(word: str, catalog: Catalog) -> bool:
    try:
        catalog.request(word)
    except UnknownNameError:
        return False
    return True


def _check_model(name: str, kind: Kind, catalog: Catalog, words: dict[str, str]) -> None:
    try:
        catalog.request(name, kind=kind)
    except UnknownNameError as error:
        if error.name != name:
            raise  # A part of it is misspelt: the source, torchvision's network, its weights.
        known = (*words, *catalog.models, *catalog.aliases)
        raise UnknownNameError(
            "model architecture",
            name,
            known,
            remedy=f"one of: {', '.join(words)}; or the name of a model (potmodels catalog)",
        ) from None
