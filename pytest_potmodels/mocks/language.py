"""A small language model, called the way a transformers base model is."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch
from torch import nn

from pytest_potmodels.mocks import tokenizer


@dataclass(frozen=True)
class LanguageConfig:
    """The sizes of the stand-in, under the names that transformers uses.

    With 208 units, embedding, LSTM and pooler come to 1.7 MB.
    """

    model_type: str = "mock-lstm"
    vocab_size: int = tokenizer.VOCAB_SIZE
    hidden_size: int = 208
    num_hidden_layers: int = 1
    num_labels: int = 2
    max_position_embeddings: int = tokenizer.MAX_LENGTH
    pad_token_id: int = tokenizer.PAD
    bos_token_id: int = tokenizer.CLS
    eos_token_id: int = tokenizer.SEP
    is_encoder_decoder: bool = False

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class LanguageOutput(Mapping[str, Any]):
    """What a base encoder returns: by attribute, by name, or by position.

    Shapes: `last_hidden_state` (N, L, H), `pooler_output` (N, H); `hidden_states`, when asked
    for, the embeddings and each layer's output.
    """

    last_hidden_state: torch.Tensor
    pooler_output: torch.Tensor
    hidden_states: tuple[torch.Tensor, ...] | None = None

    def to_tuple(self) -> tuple[Any, ...]:
        """The values that are there, in order."""
        return tuple(self.values())

    def __getitem__(self, key: Any) -> Any:
        if not isinstance(key, str):
            return self.to_tuple()[key]
        if key in self._present():
            return getattr(self, key)
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._present())

    def __len__(self) -> int:
        return len(self._present())

    def _present(self) -> list[str]:
        return [field.name for field in fields(self) if getattr(self, field.name) is not None]


class MockLanguageModel(nn.Module):
    """Embedding, one LSTM, and a pooler over the last real token; 1.7 MB in all.

    It reads from left to right, so padding at the end changes nothing before it.
    """

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.config = config
        self.embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.lstm = nn.LSTM(config.hidden_size, config.hidden_size, batch_first=True)
        self.pooler = nn.Sequential(nn.Linear(config.hidden_size, config.hidden_size), nn.Tanh())

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        *,
        output_hidden_states: bool = False,
        return_dict: bool = True,
    ) -> LanguageOutput | tuple[Any, ...]:
        """Encode token ids (N, L), with a mask (N, L) that is 0 where they are padding."""
        embedded = self.embeddings(input_ids)
        if attention_mask is not None:
            embedded = embedded * attention_mask.unsqueeze(-1).to(embedded.dtype)
        hidden, _ = self.lstm(embedded)
        states = (embedded, hidden) if output_hidden_states else None
        pooled = self.pooler(_last_real(hidden, attention_mask))
        output = LanguageOutput(hidden, pooled, states)
        return output if return_dict else output.to_tuple()

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.embeddings.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """The parameters' number type."""
        return self.embeddings.weight.dtype

    def get_input_embeddings(self) -> nn.Embedding:
        """The token embedding."""
        return self.embeddings

    def extra_repr(self) -> str:
        """Say in the `repr` what this is."""
        return "a stand-in without pretrained weights"


def _last_real(hidden: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Each row's state at its last unmasked token."""
    if mask is None:
        return hidden[:, -1]
    positions = torch.arange(mask.shape[1], device=mask.device)
    last = (mask.bool() * positions).amax(dim=1)
    rows = torch.arange(hidden.shape[0], device=hidden.device)
    return hidden[rows, last]
