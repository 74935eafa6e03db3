"""Small random models, made fit to be compared with: batch norms calibrated, no head of zeros."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from pytest_potmodels.loading.torchvision_guard import import_torchvision, import_transformers

_TEXT: Mapping[str, Any] = {
    "vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 64, "max_position_embeddings": 128, "pad_token_id": 0,
    "initializer_range": 0.2,
}  # fmt: skip
_CAUSAL: Mapping[str, Any] = {
    **_TEXT, "num_key_value_heads": 2, "bos_token_id": 1, "eos_token_id": 2, "head_dim": 8,
}  # fmt: skip
_SEQ2SEQ: Mapping[str, Any] = {
    "vocab_size": 99, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2,
    "encoder_attention_heads": 4, "decoder_attention_heads": 4, "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64, "max_position_embeddings": 128, "pad_token_id": 0, "bos_token_id": 1,
    "eos_token_id": 2, "decoder_start_token_id": 1, "forced_eos_token_id": None,
}  # fmt: skip
_T5: Mapping[str, Any] = {
    "vocab_size": 99, "d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4,
    "decoder_start_token_id": 0,
}  # fmt: skip
_GPT2: Mapping[str, Any] = {
    "vocab_size": 99, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 128,
    "bos_token_id": 98, "eos_token_id": 98,
}  # fmt: skip
_VISION: Mapping[str, Any] = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 64,
    "image_size": 32, "patch_size": 8, "initializer_range": 0.2,
}  # fmt: skip
_CLIP: Mapping[str, Any] = {
    "text_config": {**_TEXT, "eos_token_id": 2, "bos_token_id": 1, "projection_dim": 16},
    "vision_config": {**_VISION, "projection_dim": 16},
    "projection_dim": 16,
}
_WHISPER: Mapping[str, Any] = {
    **_SEQ2SEQ, "num_mel_bins": 16, "max_source_positions": 20, "max_target_positions": 40,
    "suppress_tokens": None, "begin_suppress_tokens": None,
}  # fmt: skip
_SPEECH: Mapping[str, Any] = {
    "vocab_size": 32, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "intermediate_size": 64, "conv_dim": (16, 16, 16), "conv_stride": (5, 4, 4),
    "conv_kernel": (10, 4, 4), "num_feat_extract_layers": 3, "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 4, "do_stable_layer_norm": False,
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A class of transformers with its configuration, or an architecture of torchvision."""

    made: str
    config: Mapping[str, Any] = field(default_factory=dict)
    #: The configuration's class, where it is not the model's name.
    config_class: str = ""
    #: The submodule that is exported.
    part: str = ""
    image_size: int | None = None

    def model(self) -> nn.Module:
        """The model, the same in every process."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            made = self._torchvision() if self.image_size else self._transformers()
            made = fit(made, self.image_size)
        return made.get_submodule(self.part) if self.part else made

    def _torchvision(self) -> Any:
        return import_torchvision().models.get_model(self.made, weights=None)

    def _transformers(self) -> Any:
        library = import_transformers()
        kind = getattr(library, self.made)
        config = kind.config_class if not self.config_class else getattr(library, self.config_class)
        return kind(config(**self.config))


def fit(model: nn.Module, image_size: int | None = None) -> nn.Module:
    """Draw anew what is constant, and give batch norms the statistics of random images.

    Weights are as large as trained ones: an attention that is all even would hide its scores.
    """
    for parameter in model.parameters():
        if parameter.dim() > 1 and not parameter.any():
            nn.init.normal_(parameter, std=0.05)
        elif parameter.dim() == 1 and bool((parameter == parameter[0]).all()):
            parameter.data += 0.3 * torch.randn(parameter.shape)
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    if norms:
        _calibrated(model, norms, image_size or int(getattr(model.config, "image_size", 64)))
    return model.eval()


def _calibrated(model: nn.Module, norms: list[Any], size: int) -> None:
    for norm in norms:
        norm.momentum = None  # A plain average.
        norm.reset_running_stats()
        norm.train()
    model.requires_grad_(requires_grad=False)
    with torch.no_grad():
        for _ in range(2):
            model(torch.randn(4, 3, size, size))


#: The cases of the measurements, of every family that has a recipe.
FAMILIES: Mapping[str, Case] = {
    "mobilenet_v2": Case("mobilenet_v2", image_size=64),
    "resnet18": Case("resnet18", image_size=64),
    "resnet50": Case("resnet50", image_size=64),
    "efficientnet_b0": Case("efficientnet_b0", image_size=64),
    "vgg16": Case("vgg16", image_size=64),
    "vit_b_16": Case("vit_b_16", image_size=224),
    "bert": Case("BertModel", _TEXT),
    "bert-classifier": Case("BertForSequenceClassification", _TEXT),
    "distilbert": Case(
        "DistilBertModel",
        {"vocab_size": 99, "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64},
    ),
    "roberta": Case("RobertaModel", {**_TEXT, "pad_token_id": 1, "type_vocab_size": 1}),
    "gpt2": Case("GPT2LMHeadModel", _GPT2),
    "t5-encoder": Case("T5EncoderModel", _T5),
    "t5": Case("T5ForConditionalGeneration", _T5),
    "vit": Case("ViTForImageClassification", _VISION),
    "clip": Case("CLIPModel", _CLIP),
    "clip-text": Case("CLIPTextModelWithProjection", _CLIP["text_config"]),
    "clip-vision": Case("CLIPVisionModelWithProjection", _CLIP["vision_config"]),
    "whisper-encoder": Case("WhisperModel", _WHISPER, part="encoder"),
    "whisper-decoder": Case("WhisperModel", _WHISPER, part="decoder"),
    "whisper": Case("WhisperForConditionalGeneration", _WHISPER),
    "wav2vec2": Case("Wav2Vec2Model", _SPEECH),
    "wav2vec2-ctc": Case("Wav2Vec2ForCTC", _SPEECH),
    "hf-mobilenet_v2": Case("MobileNetV2ForImageClassification", {"image_size": 64}),
    "hf-resnet": Case(
        "ResNetForImageClassification",
        {"embedding_size": 16, "hidden_sizes": [16, 32], "depths": [1, 1], "layer_type": "basic"},
    ),
}

#: Other architectures of transformers.
OTHERS: Mapping[str, Case] = {
    "albert": Case("AlbertModel", {**_TEXT, "embedding_size": 16}),
    "electra": Case("ElectraModel", {**_TEXT, "embedding_size": 16}),
    "mpnet": Case("MPNetModel", {**_TEXT, "pad_token_id": 1}),
    "deberta": Case("DebertaModel", {**_TEXT, "type_vocab_size": 0}),
    "deberta-v2": Case("DebertaV2Model", {**_TEXT, "type_vocab_size": 0}),
    "xlnet": Case("XLNetModel", {"vocab_size": 99, "d_model": 32, "n_layer": 2, "n_head": 4,
                                 "d_inner": 64}),
    "xlm-roberta": Case("XLMRobertaForMaskedLM", {**_TEXT, "pad_token_id": 1}),
    "camembert": Case("CamembertForTokenClassification", {**_TEXT, "pad_token_id": 1}),
    "convbert": Case("ConvBertModel", {**_TEXT, "embedding_size": 32}),
    "mobilebert": Case("MobileBertModel", {**_TEXT, "embedding_size": 16,
                                           "intra_bottleneck_size": 32, "true_hidden_size": 32}),
    "rembert": Case("RemBertModel", {**_TEXT, "input_embedding_size": 16,
                                     "output_embedding_size": 16}),
    "roformer": Case("RoFormerModel", {**_TEXT, "embedding_size": 32}),
    "squeezebert": Case("SqueezeBertModel", {**_TEXT, "embedding_size": 32}),
    "ernie": Case("ErnieForQuestionAnswering", _TEXT),
    "megatron-bert": Case("MegatronBertModel", _TEXT),
    "modernbert": Case("ModernBertModel", {**_TEXT, "bos_token_id": 1, "eos_token_id": 2,
                                           "cls_token_id": 1, "sep_token_id": 2}),
    "fnet": Case("FNetModel", _TEXT),
    "llama": Case("LlamaForCausalLM", _CAUSAL),
    "qwen2": Case("Qwen2ForCausalLM", _CAUSAL),
    "qwen3": Case("Qwen3ForCausalLM", _CAUSAL),
    "gemma": Case("GemmaForCausalLM", _CAUSAL),
    "gemma2": Case("Gemma2ForCausalLM", _CAUSAL),
    "mistral": Case("MistralForCausalLM", _CAUSAL),
    "mixtral": Case("MixtralForCausalLM", {**_CAUSAL, "num_local_experts": 2}),
    "phi": Case("PhiForCausalLM", _CAUSAL),
    "gpt_neox": Case("GPTNeoXForCausalLM", _TEXT),
    "gpt_neo": Case("GPTNeoForCausalLM", {
        "vocab_size": 99, "hidden_size": 32, "num_layers": 2, "num_heads": 4,
        "attention_types": [[["global", "local"], 1]], "max_position_embeddings": 128,
        "bos_token_id": 98, "eos_token_id": 98}),
    "gptj": Case("GPTJForCausalLM", {**_GPT2, "rotary_dim": 4}),
    "opt": Case("OPTForCausalLM", {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2,
                                   "ffn_dim": 64, "num_attention_heads": 4,
                                   "max_position_embeddings": 128, "word_embed_proj_dim": 32}),
    "bloom": Case("BloomForCausalLM", {"vocab_size": 99, "hidden_size": 32, "n_layer": 2,
                                       "n_head": 4}),
    "mamba": Case("MambaForCausalLM", {"vocab_size": 99, "hidden_size": 32,
                                       "num_hidden_layers": 1, "state_size": 4}),
    "bart": Case("BartForConditionalGeneration", _SEQ2SEQ),
    "mbart": Case("MBartForConditionalGeneration", _SEQ2SEQ),
    "marian": Case("MarianMTModel", {**_SEQ2SEQ, "decoder_start_token_id": 0}),
    "pegasus": Case("PegasusForConditionalGeneration", _SEQ2SEQ),
    "m2m_100": Case("M2M100ForConditionalGeneration", _SEQ2SEQ),
    "deit": Case("DeiTForImageClassification", _VISION),
    "beit": Case("BeitForImageClassification", {**_VISION, "vocab_size": 99}),
    "swin": Case("SwinModel", {"image_size": 32, "patch_size": 4, "embed_dim": 8,
                               "depths": [1, 1], "num_heads": [1, 2], "window_size": 4}),
    "dinov2": Case("Dinov2Model", _VISION),
    "convnext": Case("ConvNextModel", {"hidden_sizes": [8, 16], "depths": [1, 1],
                                       "num_stages": 2, "image_size": 64}),
    "segformer": Case("SegformerForImageClassification", {
        "num_encoder_blocks": 2, "depths": [1, 1], "sr_ratios": [2, 1], "hidden_sizes": [8, 16],
        "patch_sizes": [3, 3], "strides": [2, 2], "num_attention_heads": [1, 2],
        "mlp_ratios": [2, 2], "image_size": 64}),
    "mobilevit": Case("MobileViTForImageClassification", {
        "image_size": 64, "hidden_sizes": [32, 48, 64], "neck_hidden_sizes": [16, 16, 24, 32, 32,
                                                                             32, 64]}),
    "regnet": Case("RegNetForImageClassification", {
        "embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1], "groups_width": 8}),
    "poolformer": Case("PoolFormerForImageClassification", {
        "depths": [1, 1, 1, 1], "hidden_sizes": [8, 16, 16, 32]}),
    "hubert": Case("HubertModel", _SPEECH),
    "wavlm": Case("WavLMModel", _SPEECH),
    "ast": Case("ASTModel", {**_VISION, "max_length": 64, "num_mel_bins": 16,
                             "frequency_stride": 8, "time_stride": 8}),
    "siglip": Case("SiglipModel", {"text_config": _TEXT, "vision_config": _VISION}),
    "layoutlm": Case("LayoutLMModel", {**_TEXT, "max_2d_position_embeddings": 128}),
}  # fmt: skip
