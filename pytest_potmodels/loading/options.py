"""What `task`, `auto_class` and `dtype` may say; without torch, so markers are checked early."""

from collections.abc import Mapping
from types import MappingProxyType

from pytest_potmodels.artifacts import LoadOptions
from pytest_potmodels.errors import UnknownNameError, UsageError

#: Task, as the hub names it -> the transformers class with its head.
TASKS: Mapping[str, str] = MappingProxyType(
    {
        "depth-estimation": "AutoModelForDepthEstimation",
        "document-question-answering": "AutoModelForDocumentQuestionAnswering",
        "feature-extraction": "AutoModel",
        "fill-mask": "AutoModelForMaskedLM",
        "image-classification": "AutoModelForImageClassification",
        "image-feature-extraction": "AutoModel",
        "image-segmentation": "AutoModelForImageSegmentation",
        "image-text-to-text": "AutoModelForImageTextToText",
        "image-to-text": "AutoModelForImageTextToText",
        "mask-generation": "AutoModelForMaskGeneration",
        "multiple-choice": "AutoModelForMultipleChoice",
        "next-sentence-prediction": "AutoModelForNextSentencePrediction",
        "object-detection": "AutoModelForObjectDetection",
        "question-answering": "AutoModelForQuestionAnswering",
        "semantic-segmentation": "AutoModelForSemanticSegmentation",
        "sentence-similarity": "AutoModel",
        "sentiment-analysis": "AutoModelForSequenceClassification",
        "summarization": "AutoModelForSeq2SeqLM",
        "table-question-answering": "AutoModelForTableQuestionAnswering",
        "text-classification": "AutoModelForSequenceClassification",
        "text-generation": "AutoModelForCausalLM",
        "text2text-generation": "AutoModelForSeq2SeqLM",
        "token-classification": "AutoModelForTokenClassification",
        "translation": "AutoModelForSeq2SeqLM",
        "video-classification": "AutoModelForVideoClassification",
        "visual-question-answering": "AutoModelForVisualQuestionAnswering",
        "zero-shot-classification": "AutoModelForSequenceClassification",
        "zero-shot-image-classification": "AutoModelForZeroShotImageClassification",
        "zero-shot-object-detection": "AutoModelForZeroShotObjectDetection",
    }
)

#: Every class of transformers that picks an architecture by the configuration.
AUTO_CLASSES = (
    "AutoModel",
    "AutoModelForAudioClassification",
    "AutoModelForAudioFrameClassification",
    "AutoModelForAudioTokenization",
    "AutoModelForAudioXVector",
    "AutoModelForCTC",
    "AutoModelForCausalLM",
    "AutoModelForDecision",
    "AutoModelForDepthEstimation",
    "AutoModelForDocumentQuestionAnswering",
    "AutoModelForImageClassification",
    "AutoModelForImageMatting",
    "AutoModelForImageSegmentation",
    "AutoModelForImageTextToText",
    "AutoModelForImageToImage",
    "AutoModelForInstanceSegmentation",
    "AutoModelForKeypointDetection",
    "AutoModelForKeypointMatching",
    "AutoModelForMaskGeneration",
    "AutoModelForMaskedImageModeling",
    "AutoModelForMaskedLM",
    "AutoModelForMultimodalLM",
    "AutoModelForMultipleChoice",
    "AutoModelForNextSentencePrediction",
    "AutoModelForNormalEstimation",
    "AutoModelForObjectDetection",
    "AutoModelForPointmapEstimation",
    "AutoModelForPoseEstimation",
    "AutoModelForPreTraining",
    "AutoModelForQuestionAnswering",
    "AutoModelForRNNT",
    "AutoModelForSemanticSegmentation",
    "AutoModelForSeq2SeqLM",
    "AutoModelForSequenceClassification",
    "AutoModelForSpeechSeq2Seq",
    "AutoModelForTDT",
    "AutoModelForTableQuestionAnswering",
    "AutoModelForTableRecognition",
    "AutoModelForTextEncoding",
    "AutoModelForTextRecognition",
    "AutoModelForTextToSpectrogram",
    "AutoModelForTextToWaveform",
    "AutoModelForTimeSeriesPrediction",
    "AutoModelForTokenClassification",
    "AutoModelForUniversalSegmentation",
    "AutoModelForVideoClassification",
    "AutoModelForVisualQuestionAnswering",
    "AutoModelForZeroShotImageClassification",
    "AutoModelForZeroShotObjectDetection",
)

#: Other forms of a model's numbers, for ONNX alone.
VARIANTS = ("int8",)

DTYPES = ("float32", "float16", "bfloat16")

#: What a torchvision classifier is, whether it is said or not.
CLASSIFICATION = "image-classification"


def auto_class_of(options: LoadOptions) -> str:
    """The transformers class that `task` or `auto_class` asks for; without either, no head.

    Raises:
        UnknownNameError: an unknown task or class, with close matches.
        UsageError: a task and a class that contradict each other.
    """
    if options.task is not None and options.task not in TASKS:
        raise UnknownNameError("task", options.task, TASKS)
    if options.auto_class is not None and options.auto_class not in AUTO_CLASSES:
        raise UnknownNameError("auto_class", options.auto_class, AUTO_CLASSES)
    from_task = TASKS.get(options.task) if options.task else None
    if from_task and options.auto_class not in (None, from_task):
        raise UsageError(
            f"task={options.task!r} means {from_task}, not auto_class={options.auto_class!r}.",
            remedy="give one of the two",
        )
    return options.auto_class or from_task or "AutoModel"


def check_dtype(options: LoadOptions) -> None:
    """Accept the number types that models are stored and run in.

    Raises:
        UnknownNameError: another one.
    """
    if options.dtype is not None and options.dtype not in DTYPES:
        remedy = f"one of {', '.join(DTYPES)}"
        raise UnknownNameError("dtype", options.dtype, DTYPES, remedy=remedy)


def check_variant(variant: str | None) -> None:
    """Accept the variants of an ONNX form.

    Raises:
        UnknownNameError: another one.
    """
    if variant is not None and variant not in VARIANTS:
        remedy = f"one of {', '.join(VARIANTS)}"
        raise UnknownNameError("variant", variant, VARIANTS, remedy=remedy)


def check(options: LoadOptions) -> None:
    """Accept options whose names all exist; whether a model has that head shows at its load.

    Raises:
        UsageError: the first name that does not, with close matches.
    """
    auto_class_of(options)
    check_dtype(options)
