"""The snippets and commands that describe this face, each as it stands, against real servers.

Changed are the import lines, and `python -m framework.scripts.X` to `potmodels`.
"""

import logging
import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner, Result
from standin import StandIn, models

from pytest_potmodels.catalog.reader import build_catalog
from pytest_potmodels.cli.dispatch import potmodels
from pytest_potmodels.model_manager import manager
from pytest_potmodels.settings.values import Settings

Run = Callable[..., dict[str, Any]]
Command = Callable[[str], Result]

WHOLE = """
models:
  model_path: "models/"
  
  # Model Download Configuration
  download:
    cache_dir: "models/"
    auto_download: true
    sources:
      pytorch_hub:
        enabled: true
      torchvision:
        enabled: true
      huggingface:
        enabled: true
      url:
        enabled: true
        verify_ssl: true
        timeout_seconds: 300
    registry_file: "model_registry.json"
"""  # noqa: W293
CUSTOM = """
models:
  download:
    cache_dir: "custom_models/"  # Use different directory
    sources:
      huggingface:
        enabled: false  # Disable Hugging Face downloads
      url:
        timeout_seconds: 600  # Increase timeout for large files
"""


@pytest.fixture
def config(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Write config.yaml and name it; the cache is what it says."""

    def write(text: str) -> None:
        (project / "config.yaml").write_text(text, encoding="utf-8")
        monkeypatch.setenv("POT_CONFIG", "config.yaml")
        monkeypatch.delenv("POT_CACHE_DIR")

    return write


@pytest.fixture
def run(upstream: StandIn, config: Callable[[str], None]) -> Run:
    """Run a snippet in a project with the seed's config.yaml."""
    config(WHOLE)

    def run_snippet(code: str, **given: Any) -> dict[str, Any]:
        names = dict(given)
        exec(compile(code, "snippet", "exec"), names)  # noqa: S102 - the texts of the tests
        return names

    return run_snippet


@pytest.fixture
def command(run: Run) -> Command:
    """Type a command; it must succeed."""

    def type_command(line: str) -> Result:
        program, *words = shlex.split(line, comments=True)
        assert program == "potmodels"
        result = CliRunner(env=dict(os.environ)).invoke(potmodels, words)
        assert result.exit_code == 0, f"{result.stdout}\n{result.stderr}"
        return result

    return type_command


def folders() -> set[str]:
    return {path.name for path in Path("models").iterdir() if path.name.count("_")}


def test_configuration_and_directory_structure(run: Run, command: Command) -> None:
    command("potmodels download torchvision:resnet18 huggingface:bert-base-uncased")
    assert folders() == {
        "model_registry.json",
        "torchvision_resnet18",
        "huggingface_bert-base-uncased",
    }
    vision = {path.name for path in Path("models/torchvision_resnet18").iterdir()}
    assert vision > {"model_info.json"}
    assert len(vision) == 2
    language = {path.name for path in Path("models/huggingface_bert-base-uncased").iterdir()}
    assert language > {"model_info.json", "config.json", "tokenizer.json", "model.safetensors"}


@pytest.mark.parametrize(
    ("line", "folder"),
    [
        ("potmodels download torchvision resnet18", "torchvision_resnet18"),
        ("potmodels download huggingface bert-base-uncased", "huggingface_bert-base-uncased"),
        ("potmodels auto torchvision:resnet18", "torchvision_resnet18"),
        ("potmodels auto huggingface:bert-base-uncased", "huggingface_bert-base-uncased"),
        ("potmodels auto resnet18  # Auto-detects torchvision", "torchvision_resnet18"),
        ("potmodels download torchvision:resnet18", "torchvision_resnet18"),
        ("potmodels download huggingface:bert-base-uncased", "huggingface_bert-base-uncased"),
    ],
)
def test_one_model_on_the_command_line(command: Command, line: str, folder: str) -> None:
    assert "fetched" in command(line).stdout
    assert folders() == {"model_registry.json", folder}


@pytest.mark.parametrize(
    ("preset", "count"),
    [
        ("basic    # resnet18, mobilenet_v2", 2),
        ("vision   # Multiple vision models", 5),
        ("nlp", 3),
    ],
)
def test_a_collection_on_the_command_line(command: Command, preset: str, count: int) -> None:
    said = command(f"potmodels download --preset {preset}")
    assert said.stdout.count("fetched") == count
    assert f"{count} models, " in said.stderr


def test_several_models_force_and_the_configuration_on_the_command_line(
    command: Command, upstream: StandIn
) -> None:
    said = command("potmodels download torchvision:resnet18 torchvision:mobilenet_v2")
    assert said.stdout.count("fetched") == 2
    upstream.log.clear()
    command("potmodels download torchvision:resnet18 --force")
    assert upstream.log.gets("resnet18") == 1
    shown = command("potmodels download --list-config").stdout
    assert shown == command("potmodels config").stdout
    assert "models_folder" in shown
    assert "model_registry.json" in shown


def test_basic_usage(run: Run, upstream: StandIn) -> None:
    upstream.add_download("/model.pt", b"a file of tensors")
    made = run("""
from pytest_potmodels.downloader import auto_download_model, ensure_model_available

# Auto-download with explicit source
model_path, model_info = auto_download_model("torchvision:resnet18")
first = model_path, model_info

# Auto-download with source detection
model_path, model_info = auto_download_model("resnet18")
second = model_path, model_info

# Ensure model is available (downloads if not cached)
model_path, model_info = ensure_model_available("torchvision:mobilenet_v2")
third = model_path, model_info

# Download from URL
model_path, model_info = auto_download_model(
    "https://example.com/model.pt", 
    model_name="custom_model"
)
""")  # noqa: W291
    assert made["first"][0] == made["second"][0] == Path("models/torchvision_resnet18").absolute()
    assert (made["first"][1].fresh, made["second"][1].fresh) == (True, False)
    assert made["third"][1].source == "torchvision"
    assert made["model_path"].name == "url_custom_model"
    assert (made["model_path"] / "model.pt").read_bytes() == b"a file of tensors"


def test_advanced_usage(run: Run, command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    command("potmodels download resnet18")
    run("""
from pytest_potmodels.downloader import get_model_downloader

# Get downloader instance
downloader = get_model_downloader()

# Check configuration
config = downloader.get_config()
print(f"Auto-download enabled: {config['auto_download']}")

# List available models
models = downloader.list_available_models()
for name, info in models.items():
    print(f"{name}: {info.size_mb:.1f} MB from {info.source}")

# Check if model is cached
if downloader.is_model_cached("torchvision_resnet18"):
    model_path = downloader.get_model_path("torchvision_resnet18")
    print(f"Model available at: {model_path}")
""")
    assert capsys.readouterr().out.splitlines() == [
        "Auto-download enabled: True",
        "torchvision_resnet18: 0.2 MB from torchvision",
        f"Model available at: {Path('models/torchvision_resnet18').absolute()}",
    ]


def test_batch_downloads(run: Run) -> None:
    made = run("""
from pytest_potmodels.downloader import download_multiple_models, download_preset_models

# Download multiple models
results = download_multiple_models([
    "torchvision:resnet18",
    "torchvision:mobilenet_v2",
    "huggingface:bert-base-uncased"
])
first = results

# Download preset collections
results = download_preset_models("basic")  # Downloads basic model set
""")
    assert list(made["first"]) == [
        "torchvision:resnet18",
        "torchvision:mobilenet_v2",
        "huggingface:bert-base-uncased",
    ]
    assert all(result.ok and result.info.fresh for result in made["first"].values())
    assert list(made["results"]) == ["resnet18", "mobilenet_v2"]
    assert not any(result.info.fresh for result in made["results"].values())


@pytest.mark.parametrize(
    ("identifier", "means"),
    [
        ("torchvision:resnet18", "torchvision:resnet18"),
        ("huggingface:bert-base-uncased", "huggingface:bert-base-uncased"),
        ("pytorch_hub:pytorch/vision/resnet50", "pytorch_hub:pytorch/vision/resnet50"),
        ("url:https://example.com/model.pt", "url:https://example.com/model.pt"),
        ("resnet18", "torchvision:resnet18"),
        ("bert-base-uncased", "huggingface:bert-base-uncased"),
        ("https://example.com/model.pt", "url:https://example.com/model.pt"),
    ],
)
def test_identifier_formats(identifier: str, means: str) -> None:
    catalog = build_catalog({}, Settings().where)
    assert str(catalog.request(identifier).id) == means


def test_preset_collections() -> None:
    catalog = build_catalog({}, Settings().where)
    assert catalog.group("basic") == ("resnet18", "mobilenet_v2")
    vision = ("resnet18", "resnet50", "mobilenet_v2", "efficientnet_b0", "vgg16")
    assert catalog.group("vision") == vision
    nlp = ("bert-base-uncased", "distilbert-base-uncased", "roberta-base")
    assert catalog.group("nlp") == nlp
    assert catalog.group("all") == (*vision, *nlp)


def test_integration_with_a_framework(run: Run, publish: Callable[[str, str, bytes], None]) -> None:
    publish("resnet18", *models.torchvision_weights("resnet18"))
    manager.get_model_manager.cache_clear()
    made = run(
        """
# The model manager can now automatically download models
from pytest_potmodels.model_manager import get_model_manager

model_manager = get_model_manager()

# This will auto-download if not available
model_manager.load_model("torchvision:resnet18", name="my_classifier")

# Use the model
prediction = model_manager.predict("my_classifier", input_data)
""",
        input_data=torch.rand(2, 3, 64, 64),
    )
    assert made["prediction"].shape == (2, 1000)
    assert folders() == {"model_registry.json", "torchvision_resnet18"}
    manager.get_model_manager.cache_clear()


def test_quick_start(run: Run, command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    command("potmodels download --preset basic")
    assert "2 models, " in command("potmodels list").stdout
    run("""
from pytest_potmodels.downloader import ensure_model_available
path, info = ensure_model_available('torchvision:resnet18')
print(f'Model ready at: {path}')
""")
    assert capsys.readouterr().out.endswith("models/torchvision_resnet18\n")


def test_management_features(command: Command) -> None:
    command("potmodels download --preset basic")
    command("potmodels remove mobilenet_v2")
    listed = command("potmodels list").stdout
    assert "1 model, " in listed
    assert "torchvision:resnet18" in listed
    command("potmodels clear --yes")
    assert "0 models, 0 bytes" in command("potmodels list").stdout


def test_custom_configuration(
    upstream: StandIn, config: Callable[[str], None], project: Path
) -> None:
    config(CUSTOM)
    done = CliRunner().invoke(potmodels, ["auto", "resnet18"])
    assert done.exit_code == 0, done.stderr
    assert (project / "custom_models" / "torchvision_resnet18").is_dir()
    refused = CliRunner().invoke(potmodels, ["auto", "bert-base-uncased"])
    assert refused.exit_code == 2
    assert "disabled in config.yaml:7" in refused.stderr
    assert "600 s" in CliRunner().invoke(potmodels, ["auto", "--list-config"]).stdout


def test_debug_commands(run: Run, command: Command, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    command("potmodels download --list-config")
    command("potmodels list")
    run("""
import logging
logging.basicConfig(level=logging.DEBUG)
from pytest_potmodels.downloader import auto_download_model
auto_download_model('torchvision:resnet18')
""")
    said = [record.message for record in caplog.records if "pytest_potmodels" in record.name]
    assert any("resnet18" in line for line in said)
