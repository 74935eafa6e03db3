"""The same encoder as ONNX: what is deployed must rank as what was tested."""

import pytest
from search import embed

import pytest_potmodels as pot

SENTENCES = [
    "The cat sleeps on the sofa.",
    "A kitten naps on the couch.",
    "Interest rates rose again.",
    "The central bank tightened its policy.",
    "He plays the violin.",
    "She is a gifted cellist.",
]


def ranking(encoder, tokenizer):
    """All pairs of sentences, the closest in meaning first."""
    vectors = embed(encoder, tokenizer, SENTENCES)
    scores = vectors @ vectors.T
    pairs = [(i, j) for i in range(len(SENTENCES)) for j in range(i)]
    return sorted(pairs, key=lambda pair: -float(scores[pair]))


@pytest.mark.requires_model("minilm")
def test_onnx_ranks_pairs_as_torch_does(language_model, onnx_model):
    tokenizer = language_model.tokenizer
    assert ranking(onnx_model, tokenizer) == ranking(language_model.model, tokenizer)


@pytest.mark.requires_model("minilm")
def test_onnx_answers_as_torch_does(language_model, onnx_model):
    batch = language_model.tokenizer(SENTENCES, padding=True, return_tensors="pt")
    pot.assert_onnx_close(language_model, onnx_model, batch, rtol=1e-4)
