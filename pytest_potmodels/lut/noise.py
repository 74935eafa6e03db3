"""Noise on bits: flips, dropout and draws, all from a generator of the model's own."""

import torch


def uniform(like: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
    """Numbers in [0, 1) of a tensor's shape, float32, on its device.

    They are drawn where the generator lives, so that a seed means the same on every device.
    """
    device = like.device if generator is None else generator.device
    drawn = torch.rand(like.shape, generator=generator, device=device)
    return drawn.to(like.device)


def flipped(
    bits: torch.Tensor, probability: float, generator: torch.Generator | None
) -> torch.Tensor:
    """Each x becomes 1 - x with that probability, independently.

    The gradient goes straight through, as if nothing had been flipped.
    """
    if probability == 0:
        return bits
    chosen = uniform(bits, generator) < probability
    if not bits.is_floating_point():
        return torch.where(chosen, 1 - bits, bits)
    return bits + torch.where(chosen, 1 - 2 * bits.detach(), 0.0)


def dropped(
    values: torch.Tensor, probability: float, generator: torch.Generator | None
) -> torch.Tensor:
    """Each value becomes 0.5, which favours neither bit, with that probability; no rescaling."""
    if probability == 0:
        return values
    return torch.where(uniform(values, generator) < probability, 0.5, values)


def drawn(probabilities: torch.Tensor, generator: torch.Generator | None) -> torch.Tensor:
    """Bits as uint8, each 1 with its probability."""
    return (uniform(probabilities, generator) < probabilities).to(torch.uint8)
