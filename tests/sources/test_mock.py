"""`mock:vision` and `mock:language`."""

from typing import Any, cast

import pytest

from pytest_potmodels.artifacts import Kind, ModelRequest, ResolvedModel
from pytest_potmodels.errors import UnknownNameError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.sources import SourceContext, open_source
from pytest_potmodels.transfer import Deadline


def _resolve(name: str, kind: Kind) -> ResolvedModel:
    model_id = ModelId("mock", name)
    # Nothing is asked of the network, so there is none to give.
    source = open_source("mock", SourceContext(transfer=cast(Any, None), endpoint=""))
    return source.resolve(model_id, ModelRequest(model_id, str(model_id), kind), Deadline(10))


@pytest.mark.parametrize("kind", ["vision", "language"])
def test_a_mock_has_no_files(kind: Kind) -> None:
    resolved = _resolve(kind, kind)
    assert (resolved.format, resolved.files, resolved.kind) == ("mock", (), kind)
    assert resolved.size == 0


def test_another_name_is_an_error_with_close_matches() -> None:
    with pytest.raises(UnknownNameError, match="'vision'"):
        _resolve("visoin", "vision")
