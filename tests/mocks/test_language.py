"""The stand-in language model."""

import pytest
import torch

from pytest_potmodels.mocks.language import LanguageConfig, LanguageOutput, MockLanguageModel
from pytest_potmodels.mocks.tokenizer import MockTokenizer
from pytest_potmodels.mocks.weights import build


@pytest.fixture
def model() -> MockLanguageModel:
    return build(lambda: MockLanguageModel(LanguageConfig()), seed=0)


def test_it_is_called_like_a_base_model(model: MockLanguageModel) -> None:
    output = model(**MockTokenizer()("hello", return_tensors="pt"))
    assert output.last_hidden_state.shape == (1, 7, model.config.hidden_size)
    assert output.pooler_output.shape == (1, model.config.hidden_size)


def test_its_output_is_read_by_attribute_name_and_position(model: MockLanguageModel) -> None:
    output = model(input_ids=torch.tensor([[2, 9, 3]]))
    assert output[0] is output["last_hidden_state"] is output.last_hidden_state
    assert list(output) == ["last_hidden_state", "pooler_output"]
    assert len(output[:2]) == len(output.to_tuple()) == 2
    with pytest.raises(KeyError, match="hidden_states"):
        output["hidden_states"]
    with pytest.raises(AttributeError, match="logits"):
        _ = output.logits


def test_hidden_states_and_tuples_come_when_asked_for(model: MockLanguageModel) -> None:
    ids = torch.tensor([[2, 9, 3]])
    output: LanguageOutput = model(ids, output_hidden_states=True)
    assert output.hidden_states is not None
    assert len(output.hidden_states) == model.config.num_hidden_layers + 1
    assert torch.equal(output.hidden_states[-1], output.last_hidden_state)
    assert isinstance(model(ids, return_dict=False), tuple)


def test_padding_at_the_end_changes_nothing_before_it(model: MockLanguageModel) -> None:
    tokenizer = MockTokenizer()
    alone = model(**tokenizer("hi", return_tensors="pt"))
    padded = model(**tokenizer(["hi", "much longer"], padding=True, return_tensors="pt"))
    width = alone.last_hidden_state.shape[1]
    assert torch.allclose(padded.last_hidden_state[:1, :width], alone.last_hidden_state, atol=1e-6)
    assert torch.allclose(padded.pooler_output[:1], alone.pooler_output, atol=1e-6)


def test_different_texts_give_different_embeddings(model: MockLanguageModel) -> None:
    tokens = MockTokenizer()(["cat", "dog"], return_tensors="pt")
    first, second = model(**tokens).pooler_output
    assert not torch.allclose(first, second)


def test_its_configuration_reads_like_a_real_one(model: MockLanguageModel) -> None:
    assert model.config.vocab_size == MockTokenizer().vocab_size == len(MockTokenizer())
    assert model.config.to_dict()["num_labels"] == 2
    assert model.get_input_embeddings().num_embeddings == model.config.vocab_size
    assert (model.device, model.dtype) == (torch.device("cpu"), torch.float32)


def test_unknown_attributes_and_arguments_raise(model: MockLanguageModel) -> None:
    with pytest.raises(AttributeError, match="generate"):
        _ = model.generate
    with pytest.raises(AttributeError, match="num_attention_heads"):
        _ = model.config.num_attention_heads  # type: ignore[attr-defined]
    with pytest.raises(TypeError, match="token_type_ids"):
        model(torch.tensor([[2, 3]]), token_type_ids=torch.tensor([[0, 0]]))
