"""Which files of a repository loading needs: one form of the weights, and what describes them.

The answer depends on names alone, so that one listing is enough and nothing is fetched twice.
"""

import re
from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from pytest_potmodels.errors import Reason, UnavailableError, UsageError

#: Configuration, tokenizers and processors, beside the weights.
_DESCRIPTIONS = (
    "config.json",
    "generation_config.json",
    "*preprocessor_config.json",
    "processor_config.json",
    "audio_tokenizer_config.json",
    "chat_template.json",
    "chat_template.jinja",
    "tokenizer*.json",
    "special_tokens_map.json",
    "added_tokens.json",
    # Vocabularies, under all the names that tokenizers of transformers give them.
    *("vocab*.json", "vocab*.txt", "*_vocab.json", "merges.txt", "bpe.codes", "dict.txt"),
    *("*.model", "*.spm", "*.tiktoken", "tekken.json", "prophetnet.tokenizer"),
    *("emoji.json", "byte_maps.json", "normalizer.json", "word_*.json"),
    # sentence-transformers: its module list and settings.
    *("modules.json", "config_sentence_transformers.json", "sentence_*_config.json"),
)
#: sentence-transformers keeps each module in a folder that begins with its place in the row.
_MODULE_FOLDER = re.compile(r"\d+_[A-Za-z]+")
_MODULE_DESCRIPTIONS = ("*.json", "*.txt")
_TEMPLATE_FOLDER = "additional_chat_templates"
#: In order of preference: stem and suffix of a single file, of shards, and of their index.
_FORMS = (("model", ".safetensors"), ("pytorch_model", ".bin"))
_SHARD_NUMBERS = re.compile(r"-(\d+)-of-(\d+)")
#: Names come from a server: nothing that a file system may read as more than one name.
_PLAIN = re.compile(r"\w[\w.+-]*")
_SHOWN = 5
ONNX = ".onnx"
_OTHER_WEIGHTS = {
    ".h5": "TensorFlow",
    ".msgpack": "Flax",
    ".onnx": "ONNX",
    ".gguf": "GGUF",
    ".ot": "Rust",
    ".mlmodel": "Core ML",
    ".safetensors": "other safetensors",
    ".bin": "other PyTorch",
    ".pt": "other PyTorch",
    ".pth": "other PyTorch",
    ".ckpt": "checkpoint",
}


def needed(paths: Iterable[str], owner: str) -> tuple[str, ...]:
    """The paths that loading needs, sorted; safetensors are preferred to torch files.

    Args:
        paths: all files, relative to the folder, with `/`.
        owner: whose they are, for the message.

    Raises:
        UnavailableError: NOT_LOADABLE; there are no weights that transformers could load here.
    """
    plain = [path for path in paths if _is_plain(path)]
    folders = ("", *sorted({_folder(path) for path in plain if _is_module(_folder(path))}))
    weights = [path for folder in folders for path in _weights(plain, folder)]
    if not weights:
        raise _not_loadable(owner, plain)
    return tuple(sorted({*weights, *filter(_is_description, plain)}))


def onnx_file(paths: Iterable[str], file: str, owner: str) -> tuple[str, ...]:
    """An ONNX file, what lies beside it under its name (`model.onnx_data`), and config.json.

    Raises:
        UnavailableError: there is no such file.
        UsageError: it is no ONNX file.
    """
    if not file.endswith(ONNX):
        raise UsageError(
            f"{file!r} is no ONNX file; of a repository only those are had by themselves.",
            remedy=f"name a file that ends in {ONNX}, or the repository alone",
        )
    plain = [path for path in paths if _is_plain(path)]
    if file not in plain:
        there = ", ".join(path for path in plain if path.endswith(ONNX))
        raise UnavailableError(
            f"{owner} has no file {file}; its ONNX files: {there or 'none'}.",
            reason=Reason.UNKNOWN_MODEL,
            remedy="ask for one of those, or export the model: potmodels export",
        )
    return tuple(sorted(path for path in plain if _belongs_to(file, path)))


def _belongs_to(file: str, path: str) -> bool:
    data = (f"{file}_data", f"{file}.data")
    return path in (file, "config.json") or path.startswith(data)


def _weights(paths: Iterable[str], folder: str) -> list[str]:
    """The weights in one folder, in the best form that is whole."""
    names = {PurePosixPath(path).name for path in paths if _folder(path) == folder}
    for stem, suffix in _FORMS:
        found = _single(names, stem, suffix) or _sharded(names, stem, suffix)
        if found:
            return [f"{folder}/{name}" if folder else name for name in found]
    return []


def _single(names: set[str], stem: str, suffix: str) -> list[str]:
    return [stem + suffix] if stem + suffix in names else []


def _sharded(names: set[str], stem: str, suffix: str) -> list[str]:
    """The index and all shards of each complete row; [] without either."""
    index = f"{stem}{suffix}.index.json"
    rows: dict[str, list[str]] = {}
    for name in sorted(names):
        middle = name.removeprefix(stem).removesuffix(suffix)
        match = _SHARD_NUMBERS.fullmatch(middle)
        if match and name == stem + middle + suffix:
            rows.setdefault(match.group(2), []).append(name)
    whole = [name for total, row in rows.items() if len(row) == int(total) for name in row]
    return [index, *whole] if index in names and whole else []


def _is_description(path: str) -> bool:
    folder, name = _folder(path), PurePosixPath(path).name
    if name.endswith(".index.json"):
        return False  # comes with its shards or not at all
    if _is_module(folder):
        return _matches(name, _MODULE_DESCRIPTIONS)
    if folder == _TEMPLATE_FOLDER:
        return name.endswith(".jinja")
    return not folder and _matches(name, _DESCRIPTIONS)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _is_plain(path: str) -> bool:
    return all(_PLAIN.fullmatch(part) for part in path.split("/"))


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _is_module(folder: str) -> bool:
    return _MODULE_FOLDER.fullmatch(folder) is not None


def _not_loadable(owner: str, paths: list[str]) -> UnavailableError:
    by_form = Counter(
        _OTHER_WEIGHTS[suffix]
        for suffix in (PurePosixPath(path).suffix for path in paths)
        if suffix in _OTHER_WEIGHTS
    )
    forms = ", ".join(f"{form} ({count})" for form, count in by_form.most_common())
    shown = ", ".join(sorted(paths)[:_SHOWN]) + (", ..." if len(paths) > _SHOWN else "")
    has = f"weights of other forms: {forms}" if forms else shown or "no files"
    return UnavailableError(
        f"{owner} has no weights to load: neither model.safetensors nor pytorch_model.bin, "
        f"whole or in shards with their index. It has {has}.",
        reason=Reason.NOT_LOADABLE,
        remedy="ask for a repository with PyTorch weights, or save this model once with "
        "save_pretrained() and ask for that folder: file:PATH",
    )
