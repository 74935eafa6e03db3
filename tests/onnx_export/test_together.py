"""The real encoder, asked for by four processes at once, from a cache that is empty."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from onnx_export.asking import Answer, ask, open_cache, request
from onnx_export.conftest import MINILM

from pytest_potmodels import onnx_export
from pytest_potmodels.onnx_export import OnnxModel
from pytest_potmodels.store.derived_manifest import read

Cold = tuple[Path, list[Answer]]

PAIRS = (
    ("A man is playing a guitar.", "Someone makes music on an instrument."),
    ("A man is playing a guitar.", "The stock market fell sharply today."),
    ("The cat sleeps on the sofa.", "A kitten is lying on a couch."),
    ("The cat sleeps on the sofa.", "The senate passed a new law."),
    ("How do I reset my password?", "I forgot my login credentials."),
    ("How do I reset my password?", "The recipe needs two eggs and some flour."),
)


@pytest.fixture(scope="module")
def encoder(cold: Cold) -> OnnxModel:
    found = onnx_export.find(open_cache(cold[0]), request(MINILM))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def original(cold: Cold) -> Any:
    pipeline = open_cache(cold[0])
    return pipeline.obtain(request(MINILM))


def test_one_of_four_converts_and_all_get_the_same_file(cold: Cold) -> None:
    _, answers = cold
    assert sorted(answer["fresh"] for answer in answers) == [False, False, False, True]
    assert len({(answer["key"], answer["file"], answer["digest"]) for answer in answers}) == 1
    exports = [line for answer in answers for line in answer["lines"] if "exporting" in line]
    assert len(exports) == 1
    assert [path.name for path in (cold[0] / "derived").glob("onnx-*")] == [answers[0]["key"]]


def test_a_file_that_is_there_costs_no_import(cold: Cold) -> None:
    answer = ask(cold[0], MINILM)
    assert not answer["fresh"]
    assert (answer["imported"], answer["lines"], answer["stderr"]) == ([], [], "")


def test_the_one_that_converts_imports_nothing_either(cold: Cold) -> None:
    (made,) = [answer for answer in cold[1] if answer["fresh"]]
    assert made["imported"] == ["psutil"]
    assert made["stderr"] == ""


def test_the_manifest_says_how_it_was_made(encoder: OnnxModel) -> None:
    assert (encoder.rung, encoder.recipe, encoder.source) == ("dynamo", "bert", "converted")
    assert encoder.worst <= 1e-4 == encoder.tolerance
    assert {"torch", "transformers", "onnx", "onnxscript", "onnxruntime"} <= set(encoder.versions)
    assert str(encoder.derived_from) == MINILM
    assert len(encoder.shapes) >= 4
    assert encoder.tried == ()
    assert [each.name for each in encoder.inputs] == [
        "input_ids", "attention_mask", "token_type_ids",
    ]  # fmt: skip
    facts = read(encoder.path).facts
    assert facts["errors"].keys() == {"last_hidden_state", "pooler_output"}
    assert facts["opset"] == encoder.opset >= 18


def embedded(hidden: Any, mask: Any) -> Any:
    """The mean over tokens, of length 1."""
    weights = mask[..., None].astype(hidden.dtype)
    mean = (hidden * weights).sum(1) / weights.sum(1)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


def similarities(hidden: Any, mask: Any) -> Any:
    rows = embedded(hidden, mask)
    return (rows[0::2] * rows[1::2]).sum(1)


def test_sentence_pairs_are_ranked_as_by_torch(encoder: OnnxModel, original: Any) -> None:
    texts = [text for pair in PAIRS for text in pair]
    inputs = original.tokenizer(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        expected = original(**inputs).last_hidden_state.numpy()
    session = onnxruntime.InferenceSession(encoder.file, providers=["CPUExecutionProvider"])
    fed = {name: tensor.numpy() for name, tensor in inputs.items()}
    found = session.run(["last_hidden_state"], fed)[0]
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()
    mask = fed["attention_mask"]
    ours, theirs = similarities(found, mask), similarities(expected, mask)
    assert ours.argsort().tolist() == theirs.argsort().tolist()
    assert min(ours[[0, 2, 4]]) > max(ours[[1, 3, 5]])
