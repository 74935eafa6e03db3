"""Processor time of a whole pytest run with one BERT-base test: with the plugin, and plainly.

Plainly: `from_pretrained` in a fixture, and the plugin blocked. Both read the same full-size
weights, drawn at random here, from the same folder, in turns, because a busy machine slows both
alike. The run before the first one counted writes what later runs find (.pyc files, aligned
weights).
"""

import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from figures import Figure, of_pairs, table
from pytest_runs import seconds

from pytest_potmodels.loading.torchvision_guard import import_transformers

ROUNDS = 5
GOAL = 0.70
BODY = """
def test_it(language_model, tokenizer):
    tokens = tokenizer("word1 word2 word3", return_tensors="pt")
    assert language_model(**tokens).last_hidden_state.shape[-1] == 768
"""
OURS = """
import pytest

@pytest.fixture
def tokenizer(language_model):
    return language_model.tokenizer

@pytest.mark.pot_model("bert_here")"""
TABLE = """
[tool.potmodels.models.bert_here]
source = "file"
name = "{bert}"
kind = "language"
"""
PLAIN = """
import pytest

@pytest.fixture
def checkpoint():
    import torch
    # The plugin does so, too: without these a torchvision for another torch cannot be imported.
    for name in {missing}:
        torch.library.define("torchvision::" + name, "(Tensor a, Tensor b, float c) -> Tensor")
    from transformers import AutoModel, AutoTokenizer
    return AutoModel.from_pretrained("{bert}").eval(), AutoTokenizer.from_pretrained("{bert}")

@pytest.fixture
def language_model(checkpoint):
    return checkpoint[0]

@pytest.fixture
def tokenizer(checkpoint):
    return checkpoint[1]
"""


@dataclass(frozen=True)
class Way:
    """A way to run the test."""

    folder: Path
    options: tuple[str, ...] = ()
    gc: str = "freeze"


def figures() -> list[Figure]:
    """A run with the plugin."""
    return [figure(turns())]


def figure(times: list[tuple[float, float, float]]) -> Figure:
    """The plugin as it is, beside the plain way."""
    pairs = [(plain, ours) for plain, ours, _ in times]
    beside = "from_pretrained in a fixture"
    return of_pairs("run with a bert-base test", pairs, "s", GOAL, beside=beside)


def turns() -> list[tuple[float, float, float]]:
    """Seconds plainly, with the plugin, and where it leaves the garbage collector alone."""
    with tempfile.TemporaryDirectory() as scratch:
        plain, ours, kept = lay_out(Path(scratch))
        return [(time(plain), time(ours), time(kept)) for _ in range(1 + ROUNDS)][1:]


def main() -> None:
    """Measure and print."""
    times = turns()
    kept = statistics.median(kept / plain for plain, _, kept in times)
    print(table([figure(times)]))
    print(f"with POT_GC=keep: ratio {kept:.2f}")


def time(way: Way) -> float:
    """Seconds of a run."""
    cache = {"POT_CACHE_DIR": str(way.folder.parent / "cache")}
    return seconds(way.folder, way.options, {**cache, "POT_GC": way.gc, "POT_NETWORK": "block"})


def lay_out(folder: Path) -> tuple[Way, Way, Way]:
    """Write the weights and both projects."""
    bert, ours, plain = (folder / name for name in ("bert", "ours", "plain"))
    write_bert(bert)
    ours.mkdir()
    plain.mkdir()
    (ours / "test_ours.py").write_text(OURS + BODY)
    (ours / "pyproject.toml").write_text(TABLE.format(bert=bert.as_posix()))
    test = PLAIN.format(bert=bert.as_posix(), missing=operators_missing()) + BODY
    (plain / "test_plain.py").write_text(test)
    return Way(plain, ("-p", "no:potmodels")), Way(ours), Way(ours, gc="keep")


def write_bert(folder: Path) -> None:
    """Save a BERT-base of random weights, and a tokenizer."""
    transformers = import_transformers()
    transformers.BertModel(transformers.BertConfig()).save_pretrained(folder)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = [*special, *(f"word{number}" for number in range(30522 - len(special)))]
    (folder / "vocab.txt").write_text("\n".join(words))
    transformers.BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)


def operators_missing() -> list[str]:
    """What a torchvision lacks that was built for another torch."""
    command = [sys.executable, "-c", "import torchvision"]
    tried = subprocess.run(command, check=False, stderr=subprocess.DEVNULL)
    return [] if tried.returncode == 0 else ["nms", "qnms"]


if __name__ == "__main__":
    main()
