"""transformers models from `Originals` are those of `from_pretrained`, bit for bit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from loading.architectures import CASES
from loading.same import Machine, assert_same, stock

from pytest_potmodels.artifacts import LoadedModel, LoadOptions, StoredModel

Saved = Callable[[str], StoredModel]


#: Each is there for something that the others do not have.
OFTEN = {
    "albert", "bart", "bert", "bert with a tied head", "clip", "distilbert", "gpt2", "llama",
    "mamba", "marian", "resnet", "t5", "vit", "wav2vec2", "whisper",
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [name if name in OFTEN else pytest.param(name, marks=pytest.mark.slow) for name in CASES],
)
def test_a_transformers_model_is_the_stock_loaders(
    name: str, saved: Saved, machine: Machine
) -> None:
    stored, case = saved(name), CASES[name]
    for options in case.options:
        theirs = stock(stored, **options)
        assert_same(machine.load(stored, **options), theirs, case.inputs)
        machine.built.clear()
        second = machine.load(stored, **options)
        assert machine.built == [], f"{options}: the stock loader built it again"
        assert_same(second, theirs, case.inputs)
        (derived,) = machine.derived.all()
        assert derived.facts["differs"] == ""
        machine.derived.remove(derived)


@pytest.mark.parametrize("name", ["gpt2", "llama", "t5", "bart", "whisper"])
def test_what_is_generated_is_the_same(name: str, saved: Saved, machine: Machine) -> None:
    stored, case = saved(name), CASES[name]
    options = case.options[1]
    first = {key: v for key, v in case.inputs.items() if not key.startswith("decoder")}
    machine.load(stored, **options)
    models = stock(stored, **options), machine.load(stored, **options)
    one, two = (each.model.generate(**first, max_new_tokens=5) for each in models)
    assert torch.equal(one, two)


def test_weights_that_are_tied_stay_tied(saved: Saved, machine: Machine) -> None:
    stored = saved("gpt2")
    for _ in range(2):
        model = machine.load(stored, task="text-generation").model
        assert model.lm_head.weight is model.transformer.wte.weight
        model.transformer.wte.weight.data.zero_()


def test_a_head_that_is_drawn_is_announced_by_each_process_and_is_the_same(
    saved: Saved, machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    stored = saved("bert")
    heads = []
    for _ in range(3):
        caplog.clear()
        originals = machine.originals()
        for _ in range(2):
            loaded = originals.load(stored, LoadOptions(task="text-classification"), device="cpu")
            heads.append(loaded.model.classifier.weight)
            assert loaded.config["newly_initialised"] == ("classifier.bias", "classifier.weight")
        assert caplog.text.count("drawn at random from seed 0, not trained") == 1
    assert all(torch.equal(heads[0], head) for head in heads)
    assert len(machine.built) == 1
    other = machine.load(stored, task="text-classification", seed=1).model.classifier.weight
    assert not torch.equal(heads[0], other)


def test_loading_moves_no_random_state(saved: Saved, machine: Machine) -> None:
    stored = saved("bert")
    state = torch.get_rng_state()
    for _ in range(2):
        originals = machine.originals()
        for _ in range(2):
            originals.load(stored, LoadOptions(task="fill-mask"), device="cpu")
    assert torch.equal(torch.get_rng_state(), state)


def test_a_tokenizer_is_new_for_each_copy(tiny_bert: Path, store: Any, machine: Machine) -> None:
    originals, stored = machine.originals(), store(tiny_bert)

    def load() -> LoadedModel:
        return originals.load(stored, LoadOptions(), device="cpu")

    first = load()
    assert first.tokenizer is first.tokenizer
    size = len(first.tokenizer)
    first.tokenizer.add_tokens(["new", "words"])
    first.model.resize_token_embeddings(len(first.tokenizer))
    second = load()
    assert len(second.tokenizer) == size == second.model.embeddings.word_embeddings.num_embeddings
    assert second.tokenizer is not first.tokenizer


def test_a_copys_configuration_is_its_own(saved: Saved, machine: Machine) -> None:
    originals, stored = machine.originals(), saved("gpt2")
    one = originals.load(stored, LoadOptions(task="text-generation"), device="cpu").model
    one.config.n_layer, one.generation_config.max_length = 99, 99
    one.config.new = []
    two = originals.load(stored, LoadOptions(task="text-generation"), device="cpu").model
    assert two.config.n_layer == 2
    assert two.generation_config.max_length != 99
    assert not hasattr(two.config, "new")
    assert two.transformer.config is two.config
