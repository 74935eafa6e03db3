"""Convolutional networks: the same trees at every position, pooled, and saved like any other."""

from typing import Any

import pytest
import torch

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut import ConvNet, ModelConfig
from pytest_potmodels.lut.layers import Layer
from pytest_potmodels.lut.patches import Patches


def config(**changes: Any) -> ModelConfig:
    said: dict[str, Any] = {
        "model_type": "convnet",
        "layer_type": "random",
        "node_type": "probabilistic",
        "encoder_config": {"name": "thermometer", "num_bits": 2},
        "node_input_dim": 3,
        "layer_widths": [4, 6],
        "num_classes": 3,
        "runtime": {"seed": 0},
        "conv_input_shape": [2, 6, 5],
        "conv_kernel_size": 3,
        "conv_tree_depth": 2,
        "conv_padding": 1,
        "conv_stride": 2,
    }
    return ModelConfig(**{**said, **changes})


def images(count: int = 4, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 2, 6, 5, generator=torch.Generator().manual_seed(seed))


def fitted(**changes: Any) -> ConvNet:
    model = ConvNet(config(**changes))
    model.fit_encoder(images(50))
    model.eval()
    return model


def answered(layer: Layer, bits: list[int]) -> list[int]:
    """What each LUT of a layer answers, one at a time."""
    table, wires = layer.node.table().int().tolist(), layer.mapping.tolist()
    return [
        row[sum(bits[wire] << place for place, wire in enumerate(wired))]
        for row, wired in zip(table, wires, strict=True)
    ]


def by_hand(model: ConvNet, image: torch.Tensor) -> list[int]:
    """The counts of one image: stage by stage, position by position, tree by tree."""
    settings = model.config
    channels, height, width = settings.conv_input_shape or (0, 0, 0)
    side, stride, around = settings.conv_kernel_size, settings.conv_stride, settings.conv_padding
    bits = model.encode(image[None]).int().view(channels, height, width, -1)
    planes = bits.permute(0, 3, 1, 2).reshape(-1, height, width)
    layers = [layer for layer in model.layers if isinstance(layer, Layer)]
    for stage in range(len(settings.layer_widths)):
        levels = layers[stage * settings.conv_tree_depth :][: settings.conv_tree_depth]
        padded = torch.nn.functional.pad(planes, [around] * 4)
        rows = range(0, padded.shape[1] - side + 1, stride)
        columns = range(0, padded.shape[2] - side + 1, stride)
        found = torch.zeros(settings.layer_widths[stage], len(rows), len(columns)).int()
        for i, top in enumerate(rows):
            for j, left in enumerate(columns):
                seen = padded[:, top : top + side, left : left + side].flatten().tolist()
                for level in levels:
                    seen = answered(level, seen)
                found[:, i, j] = torch.tensor(seen)
        planes = found
    flat = planes.flatten(1)
    pooled = flat.sum(1) if settings.conv_pooling == "average" else flat.amax(1)
    return pooled.view(settings.num_classes, -1).sum(1).tolist()


@pytest.mark.parametrize("pooling", ["average", "or"])
@pytest.mark.parametrize("changes", [{}, {"conv_stride": 1, "conv_padding": 0}])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_deterministic_counts_what_trees_see_at_every_position(
    pooling: str, changes: dict[str, Any], depth: int
) -> None:
    model = fitted(conv_pooling=pooling, conv_tree_depth=depth, **changes)
    with torch.no_grad():
        for parameter in model.parameters():  # Rarer ones: "or" would answer 1 everywhere.
            parameter.sub_(0.3)
    x = images(3, seed=1)
    counts = torch.tensor([by_hand(model, image) for image in x], dtype=torch.float32)
    assert counts.min() < counts.max()
    assert torch.equal(model(x, eval_mode="hard"), counts / model.group_sum.tau)


def test_a_tree_has_n_times_as_many_luts_at_each_level_and_its_branches_part() -> None:
    model = fitted(conv_tree_depth=3)
    widths = [layer.node.width for layer in model.layers if isinstance(layer, Layer)]
    assert widths == [4 * 9, 4 * 3, 4, 6 * 9, 6 * 3, 6]
    assert model.get_buffer("layers.1.mapping").tolist() == torch.arange(36).view(12, 3).tolist()


def test_the_average_lies_between_0_and_the_size_of_a_group() -> None:
    model = fitted(runtime={"seed": 0, "output_tau": 1.0})
    for mode in ("expectation", "deterministic", "sampling"):
        logits = model(images(), eval_mode=mode)
        assert logits.shape == (4, 3)
        assert logits.min() >= 0
        assert logits.max() <= 2


def test_or_is_smooth_in_training_and_exact_on_bits() -> None:
    model = fitted(conv_pooling="or")
    chances = torch.rand(5, 7, 2)
    torch.testing.assert_close(model._pool(chances), 1 - (1 - chances).prod(1))
    bits = (chances > 0.8).to(torch.uint8)
    assert torch.equal(model._pool(bits), bits.any(1).to(torch.uint8))


def test_a_batch_gives_what_its_images_give_and_training_what_eval_gives() -> None:
    model, x = fitted(), images(70)
    alone = torch.cat([model(image[None]) for image in x])
    torch.testing.assert_close(model(x), alone)
    torch.testing.assert_close(model(x.flatten(1)), alone)
    torch.testing.assert_close(model.train()(x), alone)


def test_it_learns_where_something_is_bright() -> None:
    model = ConvNet(
        config(
            conv_stride=1,
            conv_input_shape=[1, 6, 6],
            conv_kernel_size=4,
            conv_padding=0,
            layer_widths=[30],
            node_input_dim=6,
        )
    )
    labels = torch.arange(120) % 3
    x = torch.rand(120, 1, 6, 6, generator=torch.Generator().manual_seed(0)) * 0.5
    for number, label in enumerate(labels.tolist()):
        x[number, 0, 2 * label : 2 * label + 2] += 0.5
    model.fit_encoder(x)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(25):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(x), labels).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    right = model.eval()(x, eval_mode="hard").argmax(1) == labels
    assert right.float().mean() > 0.8


def test_a_stage_without_room_for_a_patch_is_an_error_that_says_which() -> None:
    with pytest.raises(LUTError, match="stage 1 looks at squares of 5, and its images measure 2"):
        ConvNet(config(conv_kernel_size=5, conv_padding=0, conv_stride=1, layer_widths=[4, 6],
                       conv_input_shape=[2, 6, 6]))  # fmt: skip


def test_squares_are_cut_out_as_unfold_does() -> None:
    (stage,) = Patches.of(config(layer_widths=[6]), 2 * 6 * 5)
    x = images(3)
    expected = torch.nn.functional.unfold(x, 3, padding=1, stride=2)
    found = stage.taken(x.permute(1, 2, 3, 0)).view(stage.features, stage.positions, 3)
    assert torch.equal(found.permute(2, 0, 1), expected)
