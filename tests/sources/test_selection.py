"""Which files are taken, from listings as real repositories have them."""

import pytest

from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.sources.selection import needed

BERT = [
    ".gitattributes",
    "LICENSE",
    "README.md",
    "config.json",
    "coreml/fill-mask/float32_model.mlpackage/weight.bin",
    "flax_model.msgpack",
    "model.onnx",
    "model.safetensors",
    "pytorch_model.bin",
    "rust_model.ot",
    "tf_model.h5",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
]
MINILM = [
    ".gitattributes",
    "1_Pooling/config.json",
    "README.md",
    "config.json",
    "config_sentence_transformers.json",
    "data_config.json",
    "model.safetensors",
    "modules.json",
    "onnx/model.onnx",
    "onnx/model_O1.onnx",
    "openvino/openvino_model.bin",
    "openvino/openvino_model.xml",
    "pytorch_model.bin",
    "rust_model.ot",
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "tf_model.h5",
    "tokenizer.json",
    "tokenizer_config.json",
    "train_script.py",
    "vocab.txt",
]


def test_bert_is_its_safetensors_and_its_tokenizer() -> None:
    expected = "config.json model.safetensors tokenizer.json tokenizer_config.json vocab.txt"
    assert list(needed(BERT, "bert")) == expected.split()


def test_a_sentence_transformer_keeps_its_modules() -> None:
    expected = """1_Pooling/config.json config.json config_sentence_transformers.json
    model.safetensors modules.json sentence_bert_config.json special_tokens_map.json tokenizer.json
    tokenizer_config.json vocab.txt"""
    assert list(needed(MINILM, "minilm")) == expected.split()


def test_weights_in_a_module_folder_come_along_in_their_best_form() -> None:
    dense = ["2_Dense/config.json", "2_Dense/model.safetensors", "2_Dense/pytorch_model.bin"]
    found = needed(["config.json", "model.safetensors", "modules.json", *dense], "gtr")
    assert "2_Dense/model.safetensors" in found
    assert "2_Dense/pytorch_model.bin" not in found


def test_a_sentence_transformer_may_have_all_its_weights_in_a_module() -> None:
    clip = ["0_CLIPModel/config.json", "0_CLIPModel/pytorch_model.bin", "modules.json"]
    assert list(needed(clip, "clip")) == clip


SHARDS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
INDEX = "model.safetensors.index.json"
BIN_SHARDS = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"]
BIN_INDEX = "pytorch_model.bin.index.json"
BIN = "pytorch_model.bin"


@pytest.mark.parametrize(
    ("has", "takes"),
    [
        (["model.safetensors", INDEX, *SHARDS, BIN], ["model.safetensors"]),
        ([INDEX, *SHARDS, BIN], [INDEX, *SHARDS]),
        ([INDEX, *SHARDS, BIN_INDEX, *BIN_SHARDS], [INDEX, *SHARDS]),
        ([BIN, BIN_INDEX, *BIN_SHARDS], [BIN]),
        ([BIN_INDEX, *BIN_SHARDS], [BIN_INDEX, *BIN_SHARDS]),
        ([*SHARDS, BIN], [BIN]),  # shards without an index
        ([INDEX, SHARDS[0], BIN], [BIN]),  # a shard is missing
        ([INDEX, *SHARDS, "model-00001-of-00003.safetensors"], [INDEX, *SHARDS]),
        (["model.fp16.safetensors", BIN], [BIN]),
        (["model.fp16-00001-of-00001.safetensors", INDEX, *SHARDS], [INDEX, *SHARDS]),
        (["consolidated.safetensors", BIN], [BIN]),
    ],
)
def test_one_whole_form_of_the_weights_is_taken(has: list[str], takes: list[str]) -> None:
    assert needed(["config.json", *has], "x") == tuple(sorted(["config.json", *takes]))


@pytest.mark.parametrize(
    "name",
    [
        *("generation_config.json", "preprocessor_config.json", "video_preprocessor_config.json"),
        *("processor_config.json", "chat_template.jinja", "chat_template.json", "vocab.json"),
        *("added_tokens.json", "merges.txt", "spiece.model", "sentencepiece.bpe.model"),
        *("tokenizer.model", "source.spm", "bpe.codes", "tekken.json", "qwen.tiktoken"),
        *(
            "entity_vocab.json",
            "sentence_xlnet_config.json",
            "additional_chat_templates/tool.jinja",
        ),
    ],
)
def test_what_tokenizers_and_processors_read_is_taken(name: str) -> None:
    assert name in needed(["model.safetensors", name], "x")


@pytest.mark.parametrize(
    "name",
    [
        *("README.md", "LICENSE", "modeling_x.py", "trainer_state.json", "training_args.bin"),
        *("onnx/config.json", "onnx/model.safetensors", "checkpoint-500/model.safetensors"),
        *("tf_model.h5.index.json", "flax_model.msgpack.index.json", "data_config.json"),
        *("../config.json", "1_Pooling/../../config.json", "/config.json", "C:tokenizer.json"),
        *("tokenizer\\..\\x.json", "tokenizer\n.json", "1_Pooling/deep/config.json", ".model"),
    ],
)
def test_nothing_else_is_taken_and_no_path_that_climbs(name: str) -> None:
    assert needed(["model.safetensors", name], "x") == ("model.safetensors",)


def test_without_weights_the_error_names_what_there_is() -> None:
    paths = ["config.json", "tf_model.h5", "a.gguf", "b.gguf", "onnx/model.onnx"]
    with pytest.raises(UnavailableError) as caught:
        needed(paths, "huggingface:org/x at 12345678")
    assert caught.value.reason is Reason.NOT_LOADABLE
    assert "org/x at 12345678 has no weights" in caught.value.message
    assert "GGUF (2), TensorFlow (1), ONNX (1)" in caught.value.message


@pytest.mark.parametrize(("paths", "has"), [([], "no files"), (["a.txt", "b"], "It has a.txt, b.")])
def test_a_repository_without_any_weights_is_described(paths: list[str], has: str) -> None:
    with pytest.raises(UnavailableError, match=has):
        needed(paths, "x")
