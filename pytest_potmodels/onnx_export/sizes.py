"""How large the axes are: in the example of an export, and in the shapes that are checked."""

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_potmodels.onnx_export.recipes import Recipe

#: Free axis -> its size in the example, then in each round of checks: 1 first, where two axes
#: are 1 a squeeze too many shows; one larger than the example; no size twice in the example,
#: because equal ones are taken for one axis.
SIZES: Mapping[str, tuple[int, ...]] = {
    "batch": (2, 1, 3, 1, 4, 5),
    "text_batch": (2, 1, 3, 4, 1, 5),
    "image_batch": (3, 1, 2, 1, 4, 5),
    "sequence": (8, 1, 33, 7, 16, 2),
    "decoder_sequence": (6, 1, 12, 3, 9, 2),
    "samples": (16000, 400, 16400, 1600, 8000, 3200),
}
#: For axes that the table does not know.
_UNKNOWN = (5, 7, 11, 13, 17)
#: Parts of a configuration that state what the whole one does not.
_PARTS = ("text_config", "vision_config", "audio_config", "encoder", "decoder", "backbone_config")
_POSITIONS = ("max_position_embeddings", "n_positions", "max_target_positions", "seq_length")
_TOKENS = frozenset({"sequence", "decoder_sequence"})
#: roberta counts positions from its padding token on.
_SHIFT = 4

Sizes = Mapping[str, int]


def stated(config: Any, key: str) -> Any:
    """A value of a model's configuration, or of one of its parts; None where none states it."""
    for part in (config, *(getattr(config, name, None) for name in _PARTS)):
        if (value := getattr(part, key, None)) is not None:
            return value
    return None


def free_axes(recipe: Recipe, fixed: Mapping[str, int]) -> list[str]:
    """The names of the axes that may have any size, in the order of the inputs."""
    named = [axis for each in recipe.inputs for axis in each.axes if isinstance(axis, str)]
    return [axis for axis in dict.fromkeys(named) if axis not in fixed]


def rounds(recipe: Recipe, fixed: Mapping[str, int], config: Any) -> Iterator[Sizes]:
    """The sizes of the free axes: of the example, then of each check; no round twice."""
    spare = iter(_UNKNOWN)
    table = {
        axis: _capped(axis, _table_of(axis, recipe, spare), config)
        for axis in free_axes(recipe, fixed)
    }
    seen = []
    for number in range(max(map(len, table.values()), default=0)):
        sizes = {axis: values[number % len(values)] for axis, values in table.items()}
        if sizes not in seen:
            seen.append(sizes)
            yield sizes


def _table_of(axis: str, recipe: Recipe, spare: Iterator[int]) -> tuple[int, ...]:
    if known := recipe.sizes.get(axis) or SIZES.get(axis):
        return known
    example = next(spare, 19)
    return (example, 1, 2 * example, example + 2, 3, 2)


def _capped(axis: str, values: tuple[int, ...], config: Any) -> tuple[int, ...]:
    """No longer than the positions that the model knows."""
    limits = [stated(config, key) for key in _POSITIONS] if axis in _TOKENS else []
    known = [limit for limit in limits if isinstance(limit, int) and limit > 0]
    if not known:
        return values
    most = max(2, min(known) - _SHIFT)
    return tuple(min(value, most) for value in values)


def fixed_sizes(recipe: Recipe, config: Any, image_size: tuple[int, int] | None) -> dict[str, int]:
    """What the sizes that a model states come to.

    Raises:
        ValueError: the configuration does not state one.
    """
    named = {axis for each in recipe.inputs for axis in each.axes if isinstance(axis, str)}
    height, width = image_size or _image_size(config)
    known = {
        "channels": stated(config, "num_channels") or 3,
        "image_height": height,
        "image_width": width,
        "mel_bins": stated(config, "num_mel_bins"),
        "mel_frames": _frames(config),
    }
    known |= {
        a: stated(config, a.removeprefix("config.")) for a in named if a.startswith("config.")
    }
    sizes = {axis: size for axis, size in known.items() if axis in named}
    if lacking := [axis for axis, size in sizes.items() if not isinstance(size, int)]:
        raise ValueError(f"the model's configuration does not state {', '.join(lacking)}")
    return sizes


def _image_size(config: Any) -> tuple[int, int]:
    match stated(config, "image_size"):
        case int(edge):
            return edge, edge
        case [int(height), int(width)]:
            return height, width
        case {"height": int(height), "width": int(width)}:
            return height, width
    return 224, 224


def _frames(config: Any) -> int | None:
    """Whisper's convolutions halve the frames of a spectrogram."""
    positions = stated(config, "max_source_positions")
    return 2 * positions if isinstance(positions, int) else None
