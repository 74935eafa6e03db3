from pathlib import Path

import pytest
import torch

from pytest_potmodels.errors import DigestMismatchError
from pytest_potmodels.model_setup import get_mock_model, verify_checksum


def test_a_model_or_its_module_has_its_checksum(project: Path) -> None:
    model = get_mock_model("language")
    assert verify_checksum(model, model.checksum)
    assert verify_checksum(model.model, model.checksum.upper())


def test_weights_that_changed_since_are_noticed(project: Path) -> None:
    model = get_mock_model("vision")
    before = model.checksum
    with torch.no_grad():
        model.model.classifier[0].weight[0, 0] += 1
    with pytest.raises(DigestMismatchError) as caught:
        verify_checksum(model, before)
    assert "Checksum mismatch: the weights of mock:vision" in str(caught.value)
    assert caught.value.expected == before
    assert caught.value.found != before
