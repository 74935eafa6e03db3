"""The stand-in tokenizer."""

import copy
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pytest_potmodels.mocks.tokenizer import MockTokenizer

TOKENIZER = MockTokenizer()
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXTS)
def test_decoding_gives_back_exactly_what_was_encoded(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER.encode(text), skip_special_tokens=True) == text


@given(TEXTS, st.integers(0, 30))
def test_truncation_keeps_the_special_tokens_and_the_limit(text: str, content: int) -> None:
    ids = TOKENIZER.encode(text, truncation=True, max_length=content + 2)
    assert len(ids) == min(content, len(text.encode())) + 2
    assert (ids[0], ids[-1]) == (TOKENIZER.cls_token_id, TOKENIZER.sep_token_id)


@given(TEXTS)
def test_names_and_ids_of_tokens_convert_both_ways(text: str) -> None:
    ids = TOKENIZER.encode(text, add_special_tokens=False)
    assert TOKENIZER.tokenize(text) == TOKENIZER.convert_ids_to_tokens(ids)
    assert TOKENIZER.convert_tokens_to_ids(TOKENIZER.tokenize(text)) == ids


def test_special_tokens_show_unless_they_are_skipped() -> None:
    assert TOKENIZER.decode(TOKENIZER.encode("hi", "you")) == "[CLS]hi[SEP]you[SEP]"
    assert TOKENIZER.batch_decode([[2, 109, 3], [0]], skip_special_tokens=True) == ["h", ""]


def test_one_text_gives_a_flat_list_and_many_give_rows() -> None:
    assert TOKENIZER("ab")["input_ids"] == [2, 102, 103, 3]
    assert TOKENIZER(["ab", "c"]).input_ids == [[2, 102, 103, 3], [2, 104, 3]]
    assert TOKENIZER("ab", return_tensors="pt").input_ids.shape == (1, 4)


@pytest.mark.parametrize(
    ("padding", "width"), [(True, 6), ("longest", 6), ("max_length", 8), (False, None)]
)
def test_padding_fills_up_with_masked_pad_tokens(padding: Any, width: int | None) -> None:
    batch = TOKENIZER(["abcd", "e"], padding=padding, max_length=8)
    assert [sum(mask) for mask in batch.attention_mask] == [6, 3]
    if width is not None:
        assert {len(row) for row in batch.input_ids} == {width}
        assert batch.input_ids[1][3:] == [TOKENIZER.pad_token_id] * (width - 3)


def test_a_pair_loses_the_end_of_its_longer_part() -> None:
    ids = TOKENIZER.encode("abcdef", "xy", truncation="longest_first", max_length=7)
    assert TOKENIZER.decode(ids) == "[CLS]ab[SEP]xy[SEP]"


@pytest.mark.parametrize(("kind", "expected"), [("pt", torch.Tensor), ("np", np.ndarray)])
def test_tensors_are_of_the_asked_kind_and_int64(kind: Any, expected: type) -> None:
    batch = TOKENIZER(["a", "b"], return_tensors=kind)
    assert all(isinstance(value, expected) for value in batch.values())
    assert "int64" in str(batch.input_ids.dtype)


def test_a_batch_copies_pickles_and_moves() -> None:
    batch = TOKENIZER("a", return_tensors="pt")
    for twin in (copy.deepcopy(batch), pickle.loads(pickle.dumps(batch)), batch.to("cpu")):  # noqa: S301
        assert torch.equal(twin.input_ids, batch.input_ids)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"return_tensors": "pt"}, "different lengths.*padding=True"),
        ({"return_tensors": "tf", "padding": True}, "return_tensors='tf'"),
        ({"padding": "longer"}, "padding='longer'"),
        ({"truncation": "yes"}, "truncation='yes'"),
    ],
)
def test_options_that_cannot_be_meant_are_errors(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TOKENIZER(["a", "bc"], **options)


def test_unknown_attributes_arguments_and_ids_raise() -> None:
    with pytest.raises(AttributeError, match="apply_chat_template"):
        _ = TOKENIZER.apply_chat_template  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match="token_type_ids"):
        _ = TOKENIZER("a").token_type_ids
    with pytest.raises(TypeError, match="stride"):
        TOKENIZER("a", stride=3)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="token id 261"):
        TOKENIZER.decode([261])
