"""The registry."""

import subprocess
import sys
from typing import cast

import pytest

from pytest_potmodels.errors import UnknownNameError
from pytest_potmodels.identifiers import SOURCES
from pytest_potmodels.sources import REGISTRY, SourceContext, open_source
from pytest_potmodels.transfer import Transfer

NOWHERE = SourceContext(cast(Transfer, None), "https://huggingface.co")


def test_every_source_of_an_identifier_is_registered() -> None:
    assert sorted(REGISTRY) == sorted(SOURCES)


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_a_source_opens_by_its_name(name: str) -> None:
    assert callable(open_source(name, NOWHERE).resolve)


def test_an_unknown_source_lists_close_names() -> None:
    with pytest.raises(UnknownNameError, match="torchvision"):
        open_source("torchvison", NOWHERE)


def test_the_registry_imports_no_client() -> None:
    code = "import sys, pytest_potmodels.sources; print('huggingface_hub' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
