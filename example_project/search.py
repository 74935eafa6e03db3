"""The code under test: find the sentence that is closest in meaning."""

import torch


def embed(encoder, tokenizer, sentences):
    """Mean-pooled, normalised sentence embeddings, shape (sentences, hidden size)."""
    batch = tokenizer(sentences, padding=True, return_tensors="pt")
    with torch.no_grad():
        hidden = encoder(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1)
    mean = (hidden * mask).sum(1) / mask.sum(1)
    return torch.nn.functional.normalize(mean, dim=1)


def closest(encoder, tokenizer, query, sentences):
    """The sentence whose embedding points most nearly where the query's does."""
    vectors = embed(encoder, tokenizer, [query, *sentences])
    return sentences[int((vectors[1:] @ vectors[0]).argmax())]
