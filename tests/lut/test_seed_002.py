"""The snippets that describe LUT networks, each as it stands, on real networks and real digits.

Changed are only the module that is imported, `mnist_large` to a network that is shipped with its
weights, and the `...` of one snippet, for which the test gives the fields that it leaves out. Names
that no snippet defines (`train_data`, `evaluate`, `train_model`, ...) are given by the test. The
snippet of the old system, which nobody has any more, is not run.
"""

import inspect
import math
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
import torch
from lut_networks import SEED
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from pytest_potmodels import lut
from pytest_potmodels.errors import LUTWeightsError
from pytest_potmodels.lut import (
    REGISTRY,
    BaseLUTModel,
    Heldout,
    ModelConfig,
    SimpleFeedForward,
    build_model,
    load_heldout,
)

SHIPPED = "digits_small"
Run = Callable[..., dict[str, Any]]
Loader = DataLoader[tuple[torch.Tensor, ...]]

LOAD = """
from difflut.models import build_model

model = build_model("mnist_large", load_weights=True)
output = model(input_data)
"""
BUILD = """
from difflut.models import ModelConfig, SimpleFeedForward

config = ModelConfig(
    model_type="feedforward",
    layer_type="random",
    node_type="probabilistic",
    encoder_config={"name": "thermometer", "num_bits": 4},
    node_input_dim=6,
    layer_widths=[1024, 1000],
    num_classes=10
)

model = SimpleFeedForward(config)
model.fit_encoder(train_data)
"""
OVERRIDE = """
model = build_model(
    "mnist_large",
    overrides={
        "temperature": 0.5,
        "eval_mode": "sampling"
    }
)
"""
RESEARCH = """
# Load baseline model
baseline = build_model("mnist_large", load_weights=True)

# Test with different temperatures
for temp in [0.1, 0.5, 1.0, 2.0]:
    model = build_model("mnist_large", overrides={"temperature": temp})
    accuracy = evaluate(model, test_loader)
    print(f"Temp {temp}: {accuracy:.2%}")
"""
TRAIN = """
# Create config
config = ModelConfig.from_yaml("configs/my_experiment.yaml")

# Build and train
model = build_model(config)
model.fit_encoder(train_data)
train_model(model, train_loader, num_epochs=50)

# Save results
model.save_config("results/my_model.yaml")
model.save_weights("results/my_model.pth")
"""
SWEEP = """
import itertools

# Define search space
layer_widths = [[512, 512], [1024, 1000], [2048, 2048]]
temperatures = [0.5, 1.0, 2.0]

# Run sweep
for widths, temp in itertools.product(layer_widths, temperatures):
    config = ModelConfig(
        model_type="feedforward",
        layer_widths=widths,
        runtime={"temperature": temp},
        ...
    )
    model = build_model(config)
    # Train and evaluate...
"""
TRANSFER = """
# Load pretrained model
source_model = build_model("mnist_large", load_weights=True)

# Create new model with different output size
target_config = source_model.get_config()
target_config.num_classes = 100  # New task
target_config.pretrained = False

target_model = build_model(target_config, load_weights=False)

# Copy weights for shared layers
# (implementation depends on model architecture)
"""
CREATE = """
model = SimpleFeedForward(config)
model.fit_encoder(train_data)
train_model(model)
"""
SAVE = """
config = model.get_config()
config.pretrained = True
config.pretrained_name = "my_model"

model.save_config("pretrained/feedforward/my_model.yaml")
model.save_weights("pretrained/feedforward/my_model.pth")
"""
USE = """
model = build_model("my_model", load_weights=True)
"""
NEW_WAY = """
from difflut.models import build_model

model = build_model("configs/my_model.yaml")
"""
REGISTER = """
@REGISTRY.register_model("name")
class Mine(BaseLUTModel):
    def build(self, features):
        self.layers = SimpleFeedForward(self.config.copy(model_type="feedforward")).layers

    def outputs(self, bits, run):
        for layer in self.layers:
            bits = layer(bits, run)
        return bits
"""


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, and no networks but those that are shipped."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POT_LUT_PATH", raising=False)


@pytest.fixture(scope="module")
def heldout() -> Heldout:
    return load_heldout()


@pytest.fixture(scope="module")
def images(heldout: Heldout) -> torch.Tensor:
    return torch.tensor(heldout.images)


@pytest.fixture
def loader(heldout: Heldout, images: torch.Tensor) -> Loader:
    labels = torch.tensor(heldout.labels).long()
    return DataLoader(TensorDataset(images, labels), batch_size=90)


def evaluate(model: nn.Module, loader: Loader) -> float:
    """The share of digits that are told right."""
    with torch.no_grad():
        right = [(model(x).argmax(1) == labels).float().mean() for x, labels in loader]
    return float(torch.stack(right).mean())


@pytest.fixture
def run(images: torch.Tensor, loader: Loader) -> Run:
    """Run a snippet with what a reader would have at hand."""

    def train_model(model: BaseLUTModel, loader: Loader = loader, num_epochs: int = 1) -> None:
        optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
        model.train()
        for x, labels in [batch for _ in range(min(num_epochs, 3)) for batch in loader]:
            loss = functional.cross_entropy(model(x), labels) + model.get_regularization_loss()
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
        model.eval()

    def run_snippet(code: str, **given: Any) -> dict[str, Any]:
        text = code.replace("difflut.models", "pytest_potmodels.lut").replace(
            "mnist_large", SHIPPED
        )
        names = {name: getattr(lut, name) for name in lut.__all__ if name in code}
        data = {"train_data": images, "input_data": images, "evaluate": evaluate}
        loaders = {"train_loader": loader, "test_loader": loader, "train_model": train_model}
        names |= {**data, **loaders, **given}
        exec(compile(text, "snippet", "exec"), names)  # noqa: S102 - the texts of the tests
        return names

    return run_snippet


def config(**changes: Any) -> ModelConfig:
    said = {
        "model_type": "feedforward",
        "layer_type": "random",
        "node_type": "probabilistic",
        "encoder_config": {"name": "thermometer", "num_bits": 2},
        "node_input_dim": 4,
        "layer_widths": [60, 40],
        "num_classes": 10,
        "runtime": {"seed": 0},
    }
    return ModelConfig(**{**said, **changes})


def test_a_pretrained_model_is_loaded_and_knows_digits(run: Run, heldout: Heldout) -> None:
    output = run(LOAD)["output"]
    assert output.shape == (360, 10)
    assert float((output.argmax(1).numpy() == heldout.labels).mean()) > 0.9


def test_a_model_is_built_from_a_configuration(run: Run, images: torch.Tensor) -> None:
    model = run(BUILD)["model"]
    assert model.config.input_size == 64
    assert [layer.mapping.shape for layer in model.layers] == [(1024, 6), (1000, 6)]
    assert model.eval()(images).shape == (360, 10)


def test_runtime_parameters_are_overridden(
    run: Run, images: torch.Tensor, heldout: Heldout
) -> None:
    model = run(OVERRIDE)["model"]
    assert model.config.setting("temperature") == 0.5
    first, second = model(images), model(images)
    assert not torch.equal(first, second)
    assert float((first.argmax(1).numpy() == heldout.labels).mean()) > 0.85


def test_research_with_a_pretrained_model(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    names = run(RESEARCH)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        *("Temp 0.1", "Temp 0.5", "Temp 1.0", "Temp 2.0")
    ]
    assert all(float(line.split()[2].rstrip("%")) > 85 for line in lines)
    assert names["model"].config.setting("temperature") == 2.0
    assert names["baseline"].config.setting("temperature") != 2.0


def test_training_from_scratch(run: Run, tmp_path: Path, loader: Loader) -> None:
    config().to_yaml(tmp_path / "configs" / "my_experiment.yaml")
    model = run(TRAIN)["model"]
    again = build_model(str(tmp_path / "results" / "my_model.yaml"))
    assert evaluate(again, loader) == evaluate(model, loader) > 0.2
    assert (tmp_path / "results" / "my_model.pth").is_file()


def test_a_sweep_over_widths_and_temperatures(run: Run) -> None:
    code = SWEEP.replace("...\n    )", "**others\n    )").replace(
        "    # Train", "    built.append(model)"
    )
    built: list[BaseLUTModel] = []
    others = config(num_classes=8, input_size=64).as_plain()
    for key in ("model_type", "layer_widths", "runtime"):
        del others[key]
    run(code.replace(" and evaluate...", ""), others=others, built=built)
    assert len(built) == 9
    assert [model.config.setting("temperature") for model in built[:3]] == [0.5, 1.0, 2.0]
    assert built[-1].config.layer_widths == [2048, 2048]


def test_transfer_to_another_task(run: Run, images: torch.Tensor) -> None:
    names = run(TRANSFER)
    source, target = names["source_model"], names["target_model"]
    assert source.config.num_classes == 10
    assert source(images).shape == (360, 10)
    found = lut.copy_matching_weights(source, target)
    assert not found.left
    assert target.eval()(images).shape == (360, 100)


def test_the_example_configuration_builds_what_it_says(run: Run, tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    untrained = SEED.replace("pretrained: true\npretrained_name: mnist_large\n", "")
    (tmp_path / "configs" / "my_model.yaml").write_text(untrained, encoding="utf-8")
    model = run(NEW_WAY)["model"]
    assert model.config.runtime["regularizers"]["entropy"] == {"weight": 0.001}
    model.fit_encoder(torch.rand(10, 784))
    assert model(torch.rand(2, 784)).shape == (2, 10)
    most = 2 * (0.001 * math.log(2) + 0.0001)
    assert 0 < model.get_regularization_loss().item() < most

    (tmp_path / "configs" / "my_model.yaml").write_text(SEED, encoding="utf-8")
    with pytest.raises(LUTWeightsError, match="weights missing"):
        run(NEW_WAY)


def test_a_model_becomes_a_pretrained_one(run: Run, loader: Loader) -> None:
    made = run(CREATE, config=config())["model"]
    run(SAVE, model=made)
    found = run(USE)["model"]
    assert evaluate(found, loader) == evaluate(made, loader)
    assert found.get_config().pretrained_name == "my_model"
    assert "feedforward/my_model" in lut.list_pretrained_models()


def test_a_model_of_the_users_own_is_registered(
    run: Run, monkeypatch: pytest.MonkeyPatch, images: torch.Tensor
) -> None:
    monkeypatch.setitem(REGISTRY._added, "model", {})
    given = {"BaseLUTModel": BaseLUTModel, "SimpleFeedForward": SimpleFeedForward}
    mine = run(REGISTER, REGISTRY=REGISTRY, **given)["Mine"]
    model = build_model(config(model_type="name", input_size=64))
    assert type(model) is mine
    model.fit_encoder(images)
    assert model.eval()(images).shape == (360, 10)


@pytest.mark.parametrize("name", ["mnist_large", "mnist_small", "cifar10_large"])
def test_networks_whose_data_is_not_here_have_a_configuration_and_say_how_to_train_them(
    name: str,
) -> None:
    assert lut.get_pretrained_model_info(name)["has_weights"] is False
    with pytest.raises(LUTWeightsError, match=f"potmodels lut train {name}"):
        build_model(name)


def parameters(function: Callable[..., Any]) -> tuple[list[str], list[str]]:
    """Names that may be given by place, and those by name alone; the latter have defaults."""
    said = [each for each in inspect.signature(function).parameters.values() if each.name != "self"]
    alone = [each for each in said if each.kind is inspect.Parameter.KEYWORD_ONLY]
    assert all(each.default is not inspect.Parameter.empty for each in alone)
    return [each.name for each in said if each not in alone], [each.name for each in alone]


def test_a_configuration_has_the_documented_fields_first() -> None:
    names = [each.name for each in fields(ModelConfig)]
    assert names[:10] == [
        *("model_type", "layer_type", "node_type", "encoder_config", "node_input_dim"),
        *("layer_widths", "num_classes", "runtime", "pretrained", "pretrained_name"),
    ]
    required = [each.name for each in fields(ModelConfig) if each.default is MISSING]
    assert required == [*names[:7], "runtime"]
    assert (config(runtime={}).pretrained, config().pretrained_name) == (False, None)
    assert ModelConfig(**{k: v for k, v in vars(config()).items() if k in names[:7]}).runtime == {}


@pytest.mark.parametrize(
    ("kind", "method", "by_place"),
    [
        (BaseLUTModel, "__init__", ["config"]),
        (BaseLUTModel, "forward", ["x"]),
        (BaseLUTModel, "apply_runtime_overrides", ["overrides"]),
        (BaseLUTModel, "get_regularization_loss", []),
        (BaseLUTModel, "save_config", ["path"]),
        (BaseLUTModel, "save_weights", ["path"]),
        (BaseLUTModel, "load_weights", ["path"]),
        (BaseLUTModel, "get_config", []),
        (SimpleFeedForward, "__init__", ["config"]),
        (SimpleFeedForward, "fit_encoder", ["data"]),
        (SimpleFeedForward, "encode", ["x"]),
        (SimpleFeedForward, "forward", ["x"]),
    ],
)
def test_models_have_the_documented_methods(kind: type, method: str, by_place: list[str]) -> None:
    assert parameters(getattr(kind, method))[0] == by_place


def test_models_are_modules_of_torch() -> None:
    assert issubclass(BaseLUTModel, nn.Module)
    assert issubclass(SimpleFeedForward, BaseLUTModel)


def test_functions_have_the_documented_parameters() -> None:
    said = inspect.signature(build_model).parameters
    assert list(said) == ["source", "load_weights", "overrides"]
    assert (said["load_weights"].default, said["overrides"].default) == (True, None)
    kinds = {each.kind for each in said.values()}
    assert kinds == {inspect.Parameter.POSITIONAL_OR_KEYWORD}
    assert list(inspect.signature(lut.load_pretrained).parameters) == ["name", "kwargs"]
    assert parameters(lut.list_pretrained_models) == ([], [])
    assert parameters(lut.get_pretrained_model_info) == (["name"], [])
