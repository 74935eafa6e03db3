"""Build a LUT network of a name, a YAML file or a configuration, with its weights."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pytest_potmodels.errors import LUTError, LUTWeightsError
from pytest_potmodels.lut import pretrained_files, weights
from pytest_potmodels.lut.configuration import ModelConfig
from pytest_potmodels.lut.configuration.overrides import overridden
from pytest_potmodels.lut.configuration.structural import differing_fields
from pytest_potmodels.lut.pretrained_files import PretrainedFiles
from pytest_potmodels.lut.registry import REGISTRY

if TYPE_CHECKING:
    from pytest_potmodels.lut.base_model import BaseLUTModel

_YAML = (".yaml", ".yml")


@dataclass(frozen=True)
class _Plan:
    """What is to be built, and its weights: where they should be, and where they are."""

    config: ModelConfig
    expected: str
    needed: bool
    weights: Path | None = None
    sha256: str | None = None


def build_model(
    source: str | Path | ModelConfig,
    load_weights: bool = True,  # noqa: FBT001, FBT002 - as the interface is documented
    overrides: Mapping[str, Any] | None = None,
) -> "BaseLUTModel":
    """Build a network; with weights it comes in eval mode.

    Args:
        source: the name of a pretrained network, the path of a YAML file, or a configuration.
        load_weights: whether to load the weights that belong to it. A configuration that is not
            `pretrained` has none: it is built with random ones, and so is a YAML file that is
            not, with no weights beside it.
        overrides: runtime values over those of the configuration; mappings are merged.

    Raises:
        LUTNameError: no such network, key or part; with close matches.
        LUTError: a value that cannot be meant, or weights that do not fit.
        LUTWeightsError: there are no weights; never random ones instead.
        LUTDigestError: the file of weights is not the one that the YAML names.
    """
    plan = _plan(source, wanted=load_weights)
    taken = plan.weights if load_weights else None
    config = overridden(plan.config, overrides).copy(pretrained=taken is not None)
    model = cast("BaseLUTModel", REGISTRY.get_model(config.model_type)(config))
    if taken is None:
        return model
    weights.load(model, taken, plan.sha256)
    return model.eval()


def load_pretrained(name: str, **kwargs: Any) -> "BaseLUTModel":
    """Build a pretrained network with its weights; takes what `build_model` takes."""
    return build_model(name, **kwargs)


def _plan(source: object, *, wanted: bool) -> _Plan:
    if isinstance(source, ModelConfig):
        plan = _of_config(source, wanted=wanted)
    elif not isinstance(source, str | Path):
        kind = type(source).__name__
        raise LUTError(f"a network is built of a name, a YAML file or a ModelConfig, got {kind}.")
    elif not Path(source).name:
        raise LUTError(f"{str(source)!r} is no name of a network and no YAML file.")
    elif isinstance(source, Path) or source.endswith(_YAML):
        plan = _of_files(pretrained_files.beside(Path(source)), needed=False)
    else:
        plan = _of_files(pretrained_files.find(source), needed=True)
    if wanted:
        _check_there(plan)
    return plan


def _of_config(config: ModelConfig, *, wanted: bool) -> _Plan:
    config.check()
    if not (config.pretrained and wanted):
        return _Plan(config, "", needed=False)
    if config.pretrained_name is None:
        raise LUTError(
            "the configuration is pretrained and has no pretrained_name.",
            remedy="name it, or say pretrained=False",
        )
    plan = _of_files(pretrained_files.find(config.pretrained_name), needed=True)
    if other := differing_fields(plan.config.structure(), config.structure()):
        raise LUTError(
            f"{', '.join(other)} of the configuration differ from those of "
            f"{config.pretrained_name!r}, whose weights it names.",
            remedy="pretrained=False, and train it",
        )
    return replace(plan, config=config)


def _of_files(files: PretrainedFiles, *, needed: bool) -> _Plan:
    document = ModelConfig.read_document(files.config)
    config = ModelConfig.from_document(document)
    path, sha256 = document.named_file("weights") or (files.weights, None)
    named = config.copy(pretrained_name=config.pretrained_name or files.config.stem)
    expected = str(files.config.with_suffix(".safetensors"))
    return _Plan(named, expected, needed or config.pretrained, path, sha256)


def _check_there(plan: _Plan) -> None:
    name = plan.config.pretrained_name
    if plan.weights is None and not plan.needed:
        return
    if plan.weights is None or not plan.weights.is_file():
        expected = plan.weights or f"{plan.expected} or .pth"
        raise LUTWeightsError(
            f"weights missing for {name!r}: expected {expected}.",
            remedy=f"train it: potmodels lut train {name}; or pass load_weights=False for random "
            "weights",
        )
