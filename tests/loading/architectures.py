"""Small transformers models of many architectures, and how each is called."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

IDS = torch.tensor([[2, 5, 7, 9, 3], [2, 4, 6, 3, 3]])
PIXELS = torch.linspace(-1, 1, 2 * 3 * 32 * 32).reshape(2, 3, 32, 32)

TEXT: Mapping[str, Any] = {"input_ids": IDS}
BOTH: Mapping[str, Any] = {"input_ids": IDS, "decoder_input_ids": IDS[:, :3]}
IMAGE: Mapping[str, Any] = {"pixel_values": PIXELS}
SOUND: Mapping[str, Any] = {"input_values": torch.linspace(-1, 1, 800).reshape(2, 400)}

_ENCODER: Mapping[str, Any] = {
    "vocab_size": 64, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 32, "max_position_embeddings": 66,
}  # fmt: skip
_DECODER: Mapping[str, Any] = {
    **_ENCODER, "num_key_value_heads": 1, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
}  # fmt: skip
_VISION: Mapping[str, Any] = {
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
    "image_size": 32, "patch_size": 8,
}  # fmt: skip
_SEQ2SEQ: Mapping[str, Any] = {
    "vocab_size": 64, "d_model": 16, "encoder_layers": 1, "decoder_layers": 1,
    "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32, "max_position_embeddings": 64, "pad_token_id": 0, "bos_token_id": 1,
    "eos_token_id": 2, "decoder_start_token_id": 1, "forced_eos_token_id": 2,
}  # fmt: skip
_SPEECH: Mapping[str, Any] = {
    "vocab_size": 32, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
    "intermediate_size": 32, "conv_dim": (8, 8), "conv_stride": (2, 2), "conv_kernel": (3, 3),
    "num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2,
}  # fmt: skip
_GPT: Mapping[str, Any] = {
    "vocab_size": 64, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 64,
    "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0,
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A class whose random model is saved, and the options with which it is loaded."""

    saved: str
    config: Mapping[str, Any]
    inputs: Mapping[str, Any]
    options: tuple[Mapping[str, str], ...] = ({},)
    #: Makes the configuration where it has parts.
    make: Callable[[Any, Mapping[str, Any]], Any] | None = None
    #: Tensors that no file has, for the options that ask for a head.
    drawn: tuple[str, ...] = field(default=())

    def configuration(self, transformers: Any) -> Any:
        if self.make is not None:
            return self.make(transformers, self.config)
        for ending in ("ForConditionalGeneration", "ForImageClassification", "ForMaskedLM",
                       "ForCausalLM", "LMHeadModel", "MTModel", "Model"):  # fmt: skip
            if self.saved.endswith(ending):
                name = f"{self.saved.removesuffix(ending)}Config"
                return getattr(transformers, name)(**self.config)
        raise AssertionError(self.saved)


def _head(task: str) -> tuple[Mapping[str, str], ...]:
    return ({}, {"task": task})


def _image_to_text(transformers: Any, _config: Mapping[str, Any]) -> Any:
    encoder, decoder = transformers.ViTConfig(**_VISION), transformers.GPT2Config(**_GPT)
    made = transformers.VisionEncoderDecoderConfig
    return made.from_encoder_decoder_configs(encoder, decoder)


CASES: Mapping[str, Case] = {
    "bert": Case(
        "BertModel", _ENCODER, TEXT,
        ({}, {"dtype": "bfloat16"}, {"dtype": "float16"}, {"task": "text-classification"},
         {"task": "fill-mask"}, {"task": "question-answering"}),
    ),
    "bert with a tied head": Case("BertForMaskedLM", _ENCODER, TEXT, _head("fill-mask")),
    "distilbert": Case(
        "DistilBertModel",
        {"vocab_size": 64, "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32},
        TEXT, _head("token-classification"),
    ),
    "roberta": Case("RobertaModel", _ENCODER, TEXT, _head("fill-mask")),
    "albert": Case("AlbertModel", {**_ENCODER, "embedding_size": 8}, TEXT, _head("fill-mask")),
    "electra": Case("ElectraModel", {**_ENCODER, "embedding_size": 8}, TEXT),
    "mpnet": Case("MPNetModel", _ENCODER, TEXT),
    "deberta": Case("DebertaV2Model", _ENCODER, TEXT),
    "xlnet": Case(
        "XLNetModel",
        {"vocab_size": 64, "d_model": 16, "n_layer": 1, "n_head": 2, "d_inner": 32}, TEXT,
    ),
    "t5": Case(
        "T5ForConditionalGeneration",
        {"vocab_size": 64, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 2, "num_heads": 2,
         "decoder_start_token_id": 0},
        BOTH, ({}, {"task": "translation"}, {"task": "translation", "dtype": "float16"}),
    ),
    "bart": Case("BartForConditionalGeneration", _SEQ2SEQ, BOTH, _head("summarization")),
    "marian": Case(
        "MarianMTModel", {**_SEQ2SEQ, "decoder_start_token_id": 0}, BOTH, _head("translation")
    ),
    "gpt2": Case(
        "GPT2LMHeadModel", _GPT, TEXT,
        ({}, {"task": "text-generation"}, {"task": "text-generation", "dtype": "bfloat16"},
         {"task": "text-classification"}),
    ),
    "llama": Case(
        "LlamaForCausalLM", _DECODER, TEXT,
        ({}, {"task": "text-generation"}, {"task": "text-generation", "dtype": "bfloat16"}),
    ),
    "qwen2": Case("Qwen2ForCausalLM", _DECODER, TEXT, _head("text-generation")),
    "gemma2": Case(
        "Gemma2ForCausalLM", {**_DECODER, "head_dim": 8}, TEXT, _head("text-generation")
    ),
    "mixtral": Case(
        "MixtralForCausalLM", {**_DECODER, "num_local_experts": 2}, TEXT,
        _head("text-generation"),
    ),
    "gpt_neox": Case("GPTNeoXForCausalLM", _ENCODER, TEXT, _head("text-generation")),
    "opt": Case(
        "OPTForCausalLM",
        {"vocab_size": 64, "hidden_size": 16, "num_hidden_layers": 2, "ffn_dim": 32,
         "num_attention_heads": 2, "max_position_embeddings": 64, "word_embed_proj_dim": 16},
        TEXT, _head("text-generation"),
    ),
    "bloom": Case(
        "BloomForCausalLM", {"vocab_size": 64, "hidden_size": 16, "n_layer": 2, "n_head": 2},
        TEXT, _head("text-generation"),
    ),
    "mamba": Case(
        "MambaForCausalLM",
        {"vocab_size": 64, "hidden_size": 16, "num_hidden_layers": 1, "state_size": 4},
        TEXT, _head("text-generation"),
    ),
    "vit": Case("ViTForImageClassification", _VISION, IMAGE, _head("image-classification")),
    "deit": Case("DeiTModel", _VISION, IMAGE),
    "dinov2": Case("Dinov2Model", _VISION, IMAGE),
    "swin": Case(
        "SwinModel",
        {"image_size": 32, "patch_size": 4, "embed_dim": 8, "depths": [1, 1],
         "num_heads": [1, 2], "window_size": 4},
        IMAGE, _head("image-classification"),
    ),
    "convnext": Case(
        "ConvNextModel", {"hidden_sizes": [8, 8], "depths": [1, 1], "num_stages": 2}, IMAGE
    ),
    "resnet": Case(
        "ResNetModel",
        {"embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "layer_type": "basic"},
        IMAGE,
    ),
    "segformer": Case(
        "SegformerModel",
        {"num_encoder_blocks": 2, "depths": [1, 1], "sr_ratios": [2, 1], "hidden_sizes": [8, 16],
         "patch_sizes": [3, 3], "strides": [2, 2], "num_attention_heads": [1, 2],
         "mlp_ratios": [2, 2], "decoder_hidden_size": 8},
        IMAGE,
    ),
    "clip": Case(
        "CLIPModel",
        {"text_config": {**_DECODER, "projection_dim": 8},
         "vision_config": {**_VISION, "projection_dim": 8}, "projection_dim": 8},
        {**TEXT, **IMAGE}, _head("zero-shot-image-classification"),
    ),
    "siglip": Case(
        "SiglipModel", {"text_config": _DECODER, "vision_config": _VISION}, {**TEXT, **IMAGE}
    ),
    "whisper": Case(
        "WhisperForConditionalGeneration",
        {"vocab_size": 64, "num_mel_bins": 8, "encoder_layers": 1, "decoder_layers": 1,
         "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 32,
         "decoder_ffn_dim": 32, "d_model": 16, "max_source_positions": 16,
         "max_target_positions": 16, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
         "decoder_start_token_id": 1, "suppress_tokens": None, "begin_suppress_tokens": None},
        {"input_features": torch.linspace(-1, 1, 256).reshape(1, 8, 32),
         "decoder_input_ids": IDS[:1]},
        ({}, {"auto_class": "AutoModelForSpeechSeq2Seq"}),
    ),
    "wav2vec2": Case("Wav2Vec2Model", _SPEECH, SOUND, ({}, {"auto_class": "AutoModelForCTC"})),
    "hubert": Case("HubertModel", _SPEECH, SOUND),
    "image to text": Case(
        "VisionEncoderDecoderModel", {}, {**IMAGE, "decoder_input_ids": IDS},
        ({"task": "image-to-text"},), _image_to_text,
    ),
}  # fmt: skip
