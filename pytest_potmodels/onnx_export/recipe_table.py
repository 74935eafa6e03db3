"""The recipes that come with this package, the special ones first."""

from pytest_potmodels.onnx_export.recipes import Input, Recipe

#: A convolution's sums differ in their order; a wrong graph differs by far more.
CNN_TOLERANCE = 1e-3

_IDS = Input("input_ids", ("batch", "sequence"), "ids")
_MASK = Input("attention_mask", ("batch", "sequence"), "mask")
_SEGMENTS = Input("token_type_ids", ("batch", "sequence"), "segments", optional=True)
_DECODER_IDS = Input("decoder_input_ids", ("batch", "decoder_sequence"), "ids")
_PIXELS = Input("pixel_values", ("batch", "channels", "image_height", "image_width"), "pixels")
_IMAGE = Input("x", ("batch", "channels", "image_height", "image_width"), "pixels")
_SAMPLES = Input("input_values", ("batch", "samples"))
_FEATURES = Input("input_features", ("batch", "mel_bins", "mel_frames"))
_TEXTS = (
    Input("input_ids", ("text_batch", "sequence"), "ids"),
    Input("attention_mask", ("text_batch", "sequence"), "mask"),
)
_IMAGES = Input(
    "pixel_values", ("image_batch", "channels", "image_height", "image_width"), "pixels"
)

_ENCODERS = (
    "albert", "bert", "camembert", "convbert", "deberta", "deberta-v2", "distilbert", "electra",
    "ernie", "flaubert", "megatron-bert", "mobilebert", "modernbert", "mpnet", "nystromformer",
    "rembert", "roberta", "roberta-prelayernorm", "roformer", "splinter", "squeezebert", "xlm",
    "xlm-roberta", "xlm-roberta-xl", "xmod",
)  # fmt: skip
_DECODERS = (
    "bloom", "codegen", "gemma", "gemma2", "gpt2", "gpt_bigcode", "gpt_neo", "gpt_neox", "gptj",
    "granite", "llama", "mistral", "olmo", "openai-gpt", "opt", "phi", "qwen2", "qwen3",
    "smollm3", "stablelm", "starcoder2",
)  # fmt: skip
_SEQ2SEQ = (
    "bart", "blenderbot", "blenderbot-small", "m2m_100", "marian", "mbart", "mt5", "pegasus", "t5",
    "umt5",
)  # fmt: skip
_IMAGE_TRANSFORMERS = (
    "beit", "data2vec-vision", "deit", "dinov2", "ijepa", "swin", "swinv2", "vit", "vit_msn",
)  # fmt: skip
_CNNS = (
    "bit", "convnext", "convnextv2", "cvt", "efficientnet", "focalnet", "mobilenet_v1",
    "mobilenet_v2", "mobilevit", "mobilevitv2", "poolformer", "pvt", "pvt_v2", "regnet", "resnet",
    "swiftformer", "timm_wrapper",
)  # fmt: skip
_SPEECH = ("data2vec-audio", "hubert", "sew", "sew-d", "unispeech", "unispeech-sat", "wav2vec2",
           "wavlm")  # fmt: skip

RECIPES = (
    Recipe("mock-vision", (_IMAGE,), classes=("MockVisionModel",), tolerance=CNN_TOLERANCE),
    Recipe("mock-language", (_IDS, _MASK), classes=("MockLanguageModel",),
           outputs=("last_hidden_state", "pooler_output")),
    Recipe("torchvision-transformer", (_IMAGE,),
           classes=("torchvision.models.vision_transformer.*",
                    "torchvision.models.swin_transformer.*")),
    Recipe("torchvision", (_IMAGE,), classes=("torchvision.models.*",), tolerance=CNN_TOLERANCE),
    Recipe("t5-encoder", (_IDS, _MASK), classes=("*T5EncoderModel", "*T5Stack")),
    Recipe("encoder-decoder-classifier", (_IDS, _MASK), _SEQ2SEQ,
           ("*ForSequenceClassification", "*ForQuestionAnswering", "*ForTokenClassification")),
    Recipe("encoder-decoder", (_IDS, _MASK, _DECODER_IDS), _SEQ2SEQ),
    Recipe("clip-text", (_IDS, _MASK), classes=("CLIPText*",)),
    Recipe("clip-vision", (_PIXELS,), classes=("CLIPVision*", "CLIPForImageClassification")),
    Recipe("clip", (*_TEXTS, _IMAGES), ("clip",)),
    Recipe("whisper-encoder", (_FEATURES,),
           classes=("WhisperEncoder", "WhisperForAudioClassification")),
    Recipe("whisper-decoder",
           (Input("input_ids", ("batch", "decoder_sequence"), "ids"),
            Input("encoder_hidden_states",
                  ("batch", "config.max_source_positions", "config.d_model"))),
           classes=("WhisperDecoder",)),
    Recipe("whisper", (_FEATURES, _DECODER_IDS), ("whisper",)),
    Recipe("wav2vec2", (_SAMPLES,), _SPEECH),
    Recipe("bert", (_IDS, _MASK, _SEGMENTS), _ENCODERS),
    Recipe("gpt", (_IDS, _MASK), _DECODERS),
    Recipe("vit", (_PIXELS,), _IMAGE_TRANSFORMERS),
    Recipe("cnn", (_PIXELS,), _CNNS, tolerance=CNN_TOLERANCE),
)  # fmt: skip
