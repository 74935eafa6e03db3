"""transformers models from a stored folder."""

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.utils import prune

from pytest_potmodels.artifacts import LoadedModel, LoadOptions, StoredModel, state_checksum
from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.loading import load

SENTENCES = ["A test asks for a model.", "It gets the real one, and says so."]


def _load(stored: StoredModel, **options: Any) -> LoadedModel:
    return load(stored, LoadOptions(**options), device="cpu")


def test_a_real_encoder_is_bit_equal_to_the_stock_loader(
    minilm: StoredModel, transformers: Any
) -> None:
    loaded = _load(minilm)
    stock = transformers.AutoModel.from_pretrained(minilm.path, local_files_only=True)
    tokens = loaded.tokenizer(SENTENCES, padding=True, return_tensors="pt")
    stock_tokens = transformers.AutoTokenizer.from_pretrained(minilm.path)(SENTENCES, padding=True)
    assert tokens.input_ids.tolist() == stock_tokens["input_ids"]
    assert state_checksum(loaded.model.state_dict()) == state_checksum(stock.state_dict())
    with torch.no_grad():
        assert torch.equal(loaded(**tokens)[0], stock(**tokens)[0])


def test_a_loaded_model_says_where_it_is_from(minilm: StoredModel) -> None:
    loaded = _load(replace(minilm, revision="abc", fresh=True))
    assert (loaded.source, loaded.is_mock) == ("pretrained", False)
    assert (loaded.path, loaded.digest, loaded.revision) == (minilm.path, minilm.digest, "abc")
    assert _load(minilm).source == "cached"
    assert loaded.config["hidden_size"] == 384
    assert loaded.config["newly_initialised"] == ()
    assert not loaded.model.training
    assert loaded.model.dtype == torch.float32
    assert 85 < loaded.memory_mb < 88
    assert loaded.processor is None


def test_a_test_that_ruins_its_model_leaves_the_next_one_and_the_files_alone(
    minilm: StoredModel, store: Any
) -> None:
    untouched = state_checksum(_load(minilm).model.state_dict())
    ruined = _load(minilm).model.train()
    prune.random_unstructured(ruined.pooler.dense, "weight", amount=0.5)  # type: ignore[no-untyped-call]
    optimizer = torch.optim.SGD(ruined.parameters(), lr=1.0)
    ruined(torch.tensor([[101, 2003, 102]])).last_hidden_state.sum().backward()
    optimizer.step()
    with torch.no_grad():
        ruined.embeddings.word_embeddings.weight.zero_()
    ruined.half()
    assert state_checksum(_load(minilm).model.state_dict()) == untouched
    assert store(minilm.path).digest == minilm.digest


def test_a_head_that_the_files_lack_follows_from_the_seed_and_is_announced(
    tiny_bert: Path, store: Any, caplog: pytest.LogCaptureFixture
) -> None:
    stored = store(tiny_bert)
    state = torch.get_rng_state()
    with caplog.at_level(logging.WARNING, logger="pytest_potmodels"):
        heads = [
            _load(stored, task="text-classification", seed=seed).model.classifier.weight
            for seed in (0, 0, 1)
        ]
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])
    assert torch.equal(torch.get_rng_state(), state)
    assert "classifier.bias, classifier.weight; drawn at random from seed 1" in caplog.text
    loaded = _load(stored, task="text-classification")
    assert loaded.config["newly_initialised"] == ("classifier.bias", "classifier.weight")
    assert loaded.categories == ("LABEL_0", "LABEL_1")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "BertModel"),
        ({"task": "feature-extraction"}, "BertModel"),
        ({"task": "token-classification"}, "BertForTokenClassification"),
        ({"task": "question-answering"}, "BertForQuestionAnswering"),
        ({"auto_class": "AutoModelForMaskedLM"}, "BertForMaskedLM"),
        ({"task": "fill-mask", "auto_class": "AutoModelForMaskedLM"}, "BertForMaskedLM"),
    ],
)
def test_task_and_auto_class_choose_the_class(
    tiny_bert: Path, store: Any, options: dict[str, str], expected: str
) -> None:
    assert type(_load(store(tiny_bert), **options).model).__name__ == expected


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_dtype_is_that_of_every_parameter(tiny_bert: Path, store: Any, dtype: str) -> None:
    model = _load(store(tiny_bert), dtype=dtype).model
    assert {parameter.dtype for parameter in model.parameters()} == {getattr(torch, dtype)}


def test_a_model_saved_in_half_precision_is_float32_unless_asked(
    tiny_bert: Path, store: Any, transformers: Any, tmp_path: Path
) -> None:
    half = tmp_path / "half"
    transformers.AutoModel.from_pretrained(tiny_bert).half().save_pretrained(half)
    assert _load(store(half)).model.dtype == torch.float32


def test_a_configuration_that_says_half_takes_nothing_from_full_weights(
    tiny_bert: Path, store: Any
) -> None:
    full = _load(store(tiny_bert)).checksum
    config = tiny_bert / "config.json"
    content = {**json.loads(config.read_text(encoding="utf-8")), "dtype": "float16"}
    config.write_text(json.dumps(content), encoding="utf-8")
    assert _load(store(tiny_bert)).checksum == full


def test_layers_that_an_architecture_keeps_in_float32_stay_there(
    store: Any, transformers: Any, tmp_path: Path
) -> None:
    config = transformers.T5Config(
        vocab_size=8, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2
    )
    transformers.T5EncoderModel(config).save_pretrained(tmp_path)
    options = {"dtype": "float16", "auto_class": "AutoModelForTextEncoding"}
    found = {
        name: p.dtype for name, p in _load(store(tmp_path), **options).model.named_parameters()
    }
    stock = transformers.T5EncoderModel.from_pretrained(tmp_path, dtype=torch.float16)
    assert found == {name: p.dtype for name, p in stock.named_parameters()}
    assert set(found.values()) == {torch.float16, torch.float32}


def test_a_processor_comes_with_an_image_model(tiny_vit: Path, store: Any) -> None:
    loaded = _load(store(tiny_vit, kind="vision"), task="image-classification")
    image = np.zeros((20, 30, 3), dtype=np.uint8)
    pixels = loaded.processor(image, return_tensors="pt")
    assert loaded(**pixels).logits.shape == (1, 3)
    assert loaded.categories == ("cat", "dog", "owl")
    assert loaded.tokenizer is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "text-clasification"}, "'text-classification'"),
        ({"auto_class": "AutoModelForMaskLM"}, "'AutoModelForMaskedLM'"),
        ({"dtype": "float23"}, "'float32'"),
    ],
)
def test_names_that_do_not_exist_are_errors_with_close_matches(
    tiny_bert: Path, store: Any, options: dict[str, str], message: str
) -> None:
    with pytest.raises(UnknownNameError, match=message):
        _load(store(tiny_bert), **options)


def test_a_head_that_the_architecture_does_not_have_is_a_usage_error(
    tiny_vit: Path, store: Any
) -> None:
    with pytest.raises(UsageError, match="no AutoModelForQuestionAnswering form"):
        _load(store(tiny_vit), task="question-answering")


def test_loading_prints_nothing_and_leaves_verbosity_and_bars_as_they_were(
    tiny_bert: Path, store: Any, transformers: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    chatter = transformers.utils.logging
    before = (chatter.get_verbosity(), chatter.is_progress_bar_enabled())
    _load(store(tiny_bert), task="text-classification")
    assert capfd.readouterr() == ("", "")
    assert (chatter.get_verbosity(), chatter.is_progress_bar_enabled()) == before
