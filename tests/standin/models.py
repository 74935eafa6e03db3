"""Real models, tiny and with random weights, made here: what a repository or a download holds.

torch and transformers are imported inside: most tests of transfer need neither.
"""

import hashlib
import io
import json
import tempfile
from pathlib import Path
from typing import Any, Literal

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
WORDS = (*_SPECIAL, "a", "cat", "cats", "dog", "##s", "sat", "on", "the", "mat", "hello", "world")

Form = Literal["safetensors", "safetensors-shards", "bin", "bin-shards"]

#: What repositories hold besides, and loading does not need.
DECOYS = {
    path: b"not needed: " + path.encode()
    for path in (
        ".gitattributes",
        "README.md",
        "coreml/model.mlpackage/weights.bin",
        "flax_model.msgpack",
        "model-q4.gguf",
        "model.fp16.safetensors",
        "modeling_custom.py",
        "onnx/model.onnx",
        "openvino/openvino_model.bin",
        "rust_model.ot",
        "tf_model.h5",
        "training_args.bin",
    )
}


def declare_torchvision_operators() -> None:
    """Let a torchvision built for another torch be imported: its C++ operators stay undefined."""
    import torch  # noqa: PLC0415

    schema = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            torch.library.define(f"torchvision::{name}", schema)


def tiny_bert(
    form: Form = "safetensors", *, vocab_size: int = 64, seed: int = 0
) -> dict[str, bytes]:
    """A BERT of two layers with its tokenizer: the files of its repository, about 100 kB."""
    model, config = _bert(vocab_size, seed)
    with tempfile.TemporaryDirectory() as folder:
        config.architectures = ["BertModel"]
        config.save_pretrained(folder)
        _tokenizer().save_pretrained(folder)
        described = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    vocabulary = "".join(f"{word}\n" for word in WORDS).encode()
    return {**described, "vocab.txt": vocabulary, **_weights(model.state_dict(), form)}


def padded_bert(form: Form = "safetensors", *, seed: int = 0) -> dict[str, bytes]:
    """The same with a large embedding: 23 MB of weights, for what needs time on the wire."""
    return tiny_bert(form, vocab_size=180_000, seed=seed)


def torchvision_weights(architecture: str = "squeezenet1_1", *, seed: int = 0) -> tuple[str, bytes]:
    """A state dict as torchvision publishes it: (name-HASH8.pth, its bytes).

    squeezenet1_1 is 5 MB, mobilenet_v3_small 10 MB, resnet18 47 MB.
    """
    declare_torchvision_operators()
    import torch  # noqa: PLC0415
    import torchvision  # noqa: PLC0415

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = torchvision.models.get_model(architecture, weights=None)
    data = _saved(model.state_dict())
    return f"{architecture}-{hashlib.sha256(data).hexdigest()[:8]}.pth", data


def _bert(vocab_size: int, seed: int) -> tuple[Any, Any]:
    declare_torchvision_operators()
    import torch  # noqa: PLC0415
    from transformers import BertConfig, BertModel  # noqa: PLC0415

    config = BertConfig(
        vocab_size=vocab_size,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return BertModel(config).eval(), config


def _tokenizer() -> Any:
    from transformers import BertTokenizer  # noqa: PLC0415

    vocabulary = {word: number for number, word in enumerate(WORDS)}
    return BertTokenizer(vocab=vocabulary, model_max_length=64)


def _weights(state: dict[str, Any], form: Form) -> dict[str, bytes]:
    stem, suffix = {"s": ("model", "safetensors"), "b": ("pytorch_model", "bin")}[form[0]]
    if not form.endswith("shards"):
        return {f"{stem}.{suffix}": _serialized(state, suffix)}
    names = sorted(state)
    half = len(names) // 2
    parts = {1: names[:half], 2: names[half:]}
    files = {f"{stem}-{number:05}-of-00002.{suffix}": part for number, part in parts.items()}
    weight_map = {name: file for file, part in files.items() for name in part}
    total = sum(tensor.nbytes for tensor in state.values())
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    shards = {
        file: _serialized({name: state[name] for name in part}, suffix)
        for file, part in files.items()
    }
    return {f"{stem}.{suffix}.index.json": json.dumps(index, indent=2).encode(), **shards}


def _serialized(state: dict[str, Any], suffix: str) -> bytes:
    if suffix == "bin":
        return _saved(state)
    from safetensors.torch import save  # noqa: PLC0415

    return save(state, metadata={"format": "pt"})


def _saved(state: dict[str, Any]) -> bytes:
    import torch  # noqa: PLC0415

    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()
