"""A byte-level tokenizer with the interface of a transformers one; it needs no vocabulary file.

Every UTF-8 byte is one token, so `decode(encode(text), skip_special_tokens=True)` is `text`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from pytest_potmodels.mocks.encoding import Row, TokenBatch, padded_rows

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PAD, UNK, CLS, SEP, MASK = range(len(SPECIAL_TOKENS))
VOCAB_SIZE = len(SPECIAL_TOKENS) + 256
MAX_LENGTH = 512

Padding = bool | Literal["longest", "max_length"]
Truncation = bool | Literal["longest_first"]
Text = str | Sequence[str]


class MockTokenizer:
    """Text -> `[CLS]`, one token per byte, `[SEP]`; a pair of texts adds a second part."""

    pad_token, unk_token, cls_token, sep_token, mask_token = SPECIAL_TOKENS
    pad_token_id, unk_token_id, cls_token_id, sep_token_id, mask_token_id = range(
        len(SPECIAL_TOKENS)
    )
    all_special_tokens = SPECIAL_TOKENS
    all_special_ids = tuple(range(len(SPECIAL_TOKENS)))
    model_input_names = ("input_ids", "attention_mask")
    model_max_length = MAX_LENGTH
    padding_side = "right"
    vocab_size = VOCAB_SIZE

    def __call__(  # noqa: PLR0913 - the signature is transformers'
        self,
        text: Text,
        text_pair: Text | None = None,
        *,
        add_special_tokens: bool = True,
        padding: Padding = False,
        truncation: Truncation = False,
        max_length: int | None = None,
        return_tensors: Literal["pt", "np"] | None = None,
    ) -> TokenBatch:
        """Tokenize one text, or a list of them; a list gives one row per text.

        Without `max_length`, truncation and `padding="max_length"` go to 512.

        Raises:
            ValueError: rows of different lengths asked for as a tensor, or unknown options.
        """
        if truncation not in (True, False, "longest_first"):
            raise ValueError(f"truncation={truncation!r}: expected a bool or 'longest_first'")
        limit = max_length or self.model_max_length
        rows = [
            _row(*texts, special=add_special_tokens, limit=limit if truncation else None)
            for texts in _paired(text, text_pair)
        ]
        rows = padded_rows(rows, padding=padding, limit=limit, pad=PAD)
        single = isinstance(text, str) and return_tensors is None
        return TokenBatch.of(rows, single=single, tensors=return_tensors)

    def encode(self, text: str, text_pair: str | None = None, **options: Any) -> Any:
        """The token ids of one text."""
        return self(text, text_pair, **options)["input_ids"]

    def decode(self, token_ids: Any, *, skip_special_tokens: bool = False) -> str:
        """The text of token ids; bytes that are no UTF-8 show as a replacement character."""
        pieces = bytearray()
        for token in _numbers(token_ids):
            if token >= len(SPECIAL_TOKENS):
                pieces.append(_checked(token) - len(SPECIAL_TOKENS))
            elif not skip_special_tokens:
                pieces += SPECIAL_TOKENS[_checked(token)].encode()
        return pieces.decode(errors="replace")

    def batch_decode(self, sequences: Iterable[Any], **options: Any) -> list[str]:
        """The text of each row."""
        return [self.decode(row, **options) for row in sequences]

    def tokenize(self, text: str) -> list[str]:
        """The tokens of a text by name: a printable ASCII character, or `<0xNN>`."""
        return [_BYTE_TOKENS[byte] for byte in text.encode()]

    def convert_ids_to_tokens(self, ids: Any) -> Any:
        """Names of token ids: one for one, a list for many."""
        if isinstance(ids, int):
            return (*SPECIAL_TOKENS, *_BYTE_TOKENS)[_checked(ids)]
        return [self.convert_ids_to_tokens(token) for token in _numbers(ids)]

    def convert_tokens_to_ids(self, tokens: Any) -> Any:
        """Ids of token names: one for one, a list for many; a stranger is `[UNK]`."""
        vocabulary = self.get_vocab()
        if isinstance(tokens, str):
            return vocabulary.get(tokens, UNK)
        return [vocabulary.get(token, UNK) for token in tokens]

    def get_vocab(self) -> Mapping[str, int]:
        """Every token's id."""
        return {name: index for index, name in enumerate((*SPECIAL_TOKENS, *_BYTE_TOKENS))}

    def __len__(self) -> int:
        return self.vocab_size

    def __repr__(self) -> str:
        return f"MockTokenizer(vocab_size={self.vocab_size}, model_max_length={MAX_LENGTH})"


def _byte_token(byte: int) -> str:
    character = chr(byte)
    plain = character.isascii() and character.isprintable()
    return character if plain else f"<0x{byte:02X}>"


_BYTE_TOKENS = tuple(_byte_token(byte) for byte in range(256))


def _paired(text: Text, pair: Text | None) -> list[tuple[str, str | None]]:
    """Texts with their second parts, as rows."""
    firsts = [text] if isinstance(text, str) else list(text)
    if pair is None:
        return [(first, None) for first in firsts]
    seconds = [pair] if isinstance(pair, str) else list(pair)
    return list(zip(firsts, seconds, strict=True))


def _row(first: str, second: str | None, *, special: bool, limit: int | None) -> Row:
    """One row's ids; what is too long loses its end, the special tokens stay."""
    parts = [first] if second is None else [first, second]
    around = 1 + len(parts) if special else 0
    content = [[byte + len(SPECIAL_TOKENS) for byte in part.encode()] for part in parts]
    excess = 0 if limit is None else sum(map(len, content)) + around - limit
    for _ in range(min(excess, sum(map(len, content)))):
        max(reversed(content), key=len).pop()
    if not special:
        return Row([token for part in content for token in part])
    return Row([CLS, *(token for part in content for token in (*part, SEP))])


def _numbers(ids: Any) -> list[int]:
    """Plain ints of a list, an array, a tensor, or one number."""
    plain = ids.tolist() if hasattr(ids, "tolist") else ids
    return [plain] if isinstance(plain, int) else [int(token) for token in plain]


def _checked(token: int) -> int:
    if not 0 <= token < VOCAB_SIZE:
        raise ValueError(f"token id {token} is not in 0..{VOCAB_SIZE - 1}")
    return token
