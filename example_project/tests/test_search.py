"""Language tests on a real sentence encoder: no hub, no mock, no download."""

import pytest
import torch
from search import closest, embed

SENTENCES = ["The cat sleeps on the sofa.", "Interest rates rose again.", "He plays the violin."]


def test_finds_the_sentence_that_means_the_same(language_model):
    found = closest(
        language_model.model, language_model.tokenizer, "A kitten naps on the couch.", SENTENCES
    )
    assert found == SENTENCES[0]
    assert language_model.source in {"pretrained", "cached"}  # the real one, never a mock here


@pytest.mark.parametrize(
    ("query", "answer"),
    [("The central bank tightened its policy.", 1), ("She is a gifted cellist.", 2)],
)
def test_meaning_beats_shared_words(language_model, query, answer):
    model, tokenizer = language_model.model, language_model.tokenizer
    assert closest(model, tokenizer, query, SENTENCES) == SENTENCES[answer]


def test_may_ruin_its_model(language_model):
    with torch.no_grad():
        for parameter in language_model.model.parameters():
            parameter.zero_()
    vectors = language_model(torch.tensor([[101, 102]])).last_hidden_state
    assert not vectors.any()


def test_gets_a_pristine_model_even_so(minimal_language_model):
    vectors = embed(minimal_language_model.model, minimal_language_model.tokenizer, SENTENCES)
    assert torch.allclose(vectors.norm(dim=1), torch.ones(3))


@pytest.mark.requires_model("minilm")
def test_batch_size_does_not_change_the_meaning(language_model):
    model, tokenizer = language_model.model, language_model.tokenizer
    alone = embed(model, tokenizer, SENTENCES[:1])
    together = embed(model, tokenizer, SENTENCES)[:1]
    torch.testing.assert_close(alone, together, rtol=1e-4, atol=1e-5)
