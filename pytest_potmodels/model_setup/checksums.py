"""Compare a model's weights with the checksum that they should have."""

from typing import Any

from pytest_potmodels.artifacts import LoadedModel, state_checksum
from pytest_potmodels.errors import DigestMismatchError


def verify_checksum(model: Any, expected: str) -> bool:
    """Return True if a model's state dict, as it is now, has the expected sha256.

    Takes a LoadedModel or a torch module. There is no False: whoever forgets to look at the
    answer would use a wrong model.

    Raises:
        DigestMismatchError: "Checksum mismatch", with both checksums.
    """
    name, module = (str(model.id), model.model) if isinstance(model, LoadedModel) else ("", model)
    found = state_checksum(module.state_dict())
    if found != expected.strip().lower():
        raise DigestMismatchError(
            f"Checksum mismatch: the weights of {name or type(module).__name__} have sha256 "
            f"{found}, expected {expected}.",
            expected=expected,
            found=found,
            remedy="check the model's revision, and whether something has trained or changed it",
        )
    return True


def as_checksum_mismatch(error: DigestMismatchError) -> DigestMismatchError:
    """The same error under the words that this face promises."""
    return DigestMismatchError(
        f"Checksum mismatch: {error.message}",
        expected=error.expected,
        found=error.found,
        remedy=error.remedy,
    )
