"""`potmodels lut`: train, eval, info, export."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cli.harness import Cli
from lut.training.mnist import write

if TYPE_CHECKING:
    from cli.terminal import Terminal

SHIPPED = "digits_tiny"
YAML = """
model_type: feedforward
layer_type: random
node_type: probabilistic
encoder_config: {name: thermometer, num_bits: 2, feature_wise: false}
node_input_dim: 4
layer_widths: [50]
num_classes: 10
input_size: 64
dataset: digits
train: {epochs: 3, lr: 0.2}
"""
TRAIN = ("lut", "train", "mine.yaml", "--out", "models")


@pytest.fixture
def mine(cli: Cli) -> Path:
    """A configuration of one's own, and what is trained of it found by name."""
    cli.environ["POT_LUT_PATH"] = str(cli.folder / "models")
    file = cli.folder / "mine.yaml"
    file.write_text(YAML)
    return file


def test_a_model_is_trained_measured_described_and_exported(cli: Cli, mine: Path) -> None:
    said = cli.run(*TRAIN, "--repeats", "2")
    head, first, second, mean = (line.split() for line in said.stdout.splitlines()[:4])
    assert head == ["SEED", "HARD", "%", "SOFT", "%"]
    assert [row[0] for row in (first, second, mean)] == ["0", "1", "mean"]
    assert "mine, seed 1: epoch 3 of 3, loss " in said.stderr
    folder = cli.folder / "models" / "feedforward"
    names = {path.name for path in folder.iterdir()}
    assert names == {"mine.yaml", "mine.safetensors", "mine.hard.safetensors", "mine.png"}
    (found,) = cli.json("lut", "eval", "mine")
    assert (found["name"], found["images"], found["agrees"]) == ("feedforward/mine", 360, True)
    assert [f"{found[key]:.2f}" for key in ("hard", "soft")] == first[1:]
    assert found["gap"] == round(found["soft"] - found["hard"], 2)
    (known,) = cli.json("lut", "info", "mine")
    assert known["metrics"]["hard"] == found["hard"]
    (file,) = cli.json("lut", "export", "mine", "--to", "safetensors")
    assert Path(file["file"]).read_bytes() == (folder / "mine.hard.safetensors").read_bytes()


def test_downloaded_data_train_by_the_same_command(cli: Cli, mine: Path) -> None:
    write(cli.folder / "downloads", train=300, held_out=50)
    mine.write_text(YAML.replace("input_size: 64", "input_size: 784").replace("digits", "mnist"))
    made = cli.json(*TRAIN, "--data", "downloads")
    assert made["metrics"]["images"] == 50
    (found,) = cli.json("lut", "eval", "mine", "--data", "downloads")
    assert found["agrees"]
    assert "data/MNIST/raw" in cli.fails("lut", "eval", "mine", code=2)


def test_what_is_there_is_replaced_only_when_that_is_said(cli: Cli, mine: Path) -> None:
    made = cli.json(*TRAIN, "--seed", "4")
    said = cli.fails(*TRAIN, code=2)
    assert "mine.safetensors is there already" in said
    assert "--force" in said
    assert cli.json(*TRAIN, "--seed", "4", "--force") == made
    assert cli.json(*TRAIN, "--seed", "5", "--force")["weights"] != made["weights"]
    export = ("lut", "export", "mine", "--to", "safetensors")
    cli.run(*export)
    assert "mine.hard.safetensors is there already" in cli.fails(*export, code=2)
    cli.run(*export, "--force")


def test_quiet_is_quiet(cli: Cli, mine: Path) -> None:
    said = cli.run(*TRAIN, "--quiet")
    assert (said.stdout, said.stderr) == ("", "")


def test_a_recipe_is_validated_on_training_images_alone(cli: Cli, mine: Path) -> None:
    said = cli.run("lut", "validate", "mine.yaml", "--folds", "3")
    rows = [line.split() for line in said.stdout.splitlines()]
    assert [row[0] for row in rows] == ["FOLD", "1", "2", "3", "mean"]
    assert sum(int(row[3]) for row in rows[1:4]) == 1437
    assert "mine, fold 3: epoch 3 of 3, loss " in said.stderr
    found = cli.json("lut", "validate", "mine.yaml", "--folds", "3", "--quiet")
    assert [f"{fold['hard']:.2f}" for fold in found["folds"]] == [row[1] for row in rows[1:4]]
    assert f"{found['mean']['soft']:.2f}" == rows[4][2]
    assert not (cli.folder / "pretrained").exists()


def test_an_accuracy_that_the_yaml_does_not_promise_is_a_failed_check(cli: Cli, mine: Path) -> None:
    hard = cli.json(*TRAIN)["metrics"]["hard"]
    file = cli.folder / "models" / "feedforward" / "mine.yaml"
    file.write_text(file.read_text().replace(f"hard: {hard}", "hard: 99.99"))
    (found,) = cli.json("lut", "eval", "mine", code=1)
    assert not found["agrees"]
    said = cli.run("lut", "eval", "mine", code=1).stderr
    assert f"error: feedforward/mine: hard is {hard:.2f} %, its YAML says 99.99 %." in said


def test_a_list_has_a_line_per_model(cli: Cli) -> None:
    lines = {line.split()[0]: line.split() for line in cli.run("lut", "info").stdout.splitlines()}
    assert lines["MODEL"][:4] == ["MODEL", "LAYER", "NODE", "LUTS"]
    assert float(lines[f"feedforward/{SHIPPED}"][5]) > 90
    assert lines["feedforward/mnist_large"][5] == "-"
    facts = cli.run("lut", "info", SHIPPED, "mnist_large").stdout
    assert "feedforward/mnist_large" in facts
    assert "digits_tiny.hard.safetensors (" in facts
    assert {"name", "source", "revision", "files"} <= set(cli.json("lut", "info", SHIPPED)[0])


def test_an_onnx_file_is_made_of_a_shipped_model(cli: Cli) -> None:
    onnx = pytest.importorskip("onnx")
    (made,) = cli.json("lut", "export", SHIPPED, "--out", "onnx")
    graph = onnx.load(cli.folder / made["file"]).graph
    assert [each.name for each in graph.output] == ["logits", "counts"]
    assert made["files"] == ["digits_tiny.onnx"]


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (("train",), "Missing argument 'NAME|FILE.yaml'", 2),
        (("train", "gone.yaml"), "no configuration file gone.yaml", 2),
        (("train", "digits_tiney"), "Did you mean 'digits_tiny'", 2),
        (("train", "mnist_small"), "data/MNIST/raw/train-images-idx3-ubyte; torchvision", 2),
        (("train", "cifar10_large", "--data", "d"), "d/cifar-10-batches-bin/data_batch_1.bin", 2),
        (("eval",), "No model is named", 2),
        (("eval", "nope"), "unknown pretrained model 'nope'", 2),
        (("eval", "mnist_large"), "weights missing for 'mnist_large'", 3),
        (("eval", "mnist_large"), "potmodels lut train mnist_large", 3),
        (("info", "nope"), "unknown pretrained model 'nope'", 2),
        (("export",), "No model is named", 2),
        (("export", "mnist_large"), "potmodels lut train mnist_large", 3),
        (("export", SHIPPED, "--to", "verilog"), "'verilog' is not one of", 2),
        (("evall",), "Did you mean 'eval'?", 2),
    ],
)
def test_what_cannot_be_done(words: tuple[str, ...], said: str, code: int, cli: Cli) -> None:
    assert said in " ".join(cli.fails("lut", *words, code=code).split())


def test_of_several_names_the_good_ones_are_done_and_the_code_is_the_worst(cli: Cli) -> None:
    said = cli.run("lut", "eval", "mnist_large", SHIPPED, "nope", code=3)
    assert "feedforward/digits_tiny" in said.stdout
    assert "weights missing" in said.stderr
    assert "'nope'" in said.stderr


def test_the_group_has_help(cli: Cli) -> None:
    assert "export" in cli.run("lut").stdout
    assert "Example: potmodels lut train digits_small" in cli.run("lut", "train", "--help").stdout


def test_listing_and_exporting_bits_import_no_torch(cli: Cli) -> None:
    heavy = ("torch", "sklearn", "matplotlib", "onnx", "transformers")
    assert cli.process("lut", "info", imports=heavy).stderr == "imported:\n"
    words = ("lut", "export", SHIPPED, "--to", "safetensors")
    assert cli.process(*words, imports=heavy).stderr == "imported:\n"


@pytest.mark.slow
def test_a_bar_on_a_terminal_shows_how_far_a_training_is(
    mine: Path, terminal: "Callable[..., Terminal]"
) -> None:
    mine.write_text(YAML.replace("epochs: 3", "epochs: 200"))
    with terminal(*TRAIN) as shown:
        shown.wait_for("mine, seed 0", seconds=120)
        shown.wait_for("% hard")
        assert shown.end() == 0
        assert "models/feedforward/mine.yaml" in shown.text


@pytest.mark.slow
def test_an_interrupted_training_leaves_nothing(
    cli: Cli, mine: Path, terminal: "Callable[..., Terminal]"
) -> None:
    mine.write_text(YAML.replace("epochs: 3", "epochs: 20000"))
    with terminal(*TRAIN) as shown:
        shown.wait_for("mine, seed 0", seconds=120)
        shown.interrupt()
        assert shown.end() == 130
        assert "interrupted; nothing was written" in shown.text
    assert not list((cli.folder / "models" / "feedforward").iterdir())
