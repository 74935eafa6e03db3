"""LUT networks as a source: which files they are, and where they are looked for."""

from pathlib import Path
from typing import cast

import pytest
from lut_folders import write_network

from pytest_potmodels.artifacts import ModelRequest, ResolvedModel
from pytest_potmodels.errors import LUTNameError, LUTWeightsError, Reason
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.sources import SourceContext, open_source
from pytest_potmodels.transfer import Deadline, Transfer


def resolve(name: str) -> ResolvedModel:
    model_id = ModelId("lut", name)
    context = SourceContext(cast(Transfer, None), "")
    request = ModelRequest(model_id, str(model_id), "lut")
    return open_source("lut", context).resolve(model_id, request, Deadline(5))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POT_LUT_PATH", str(tmp_path / "networks"))
    return write_network(tmp_path / "networks")


@pytest.mark.parametrize("name", ["tiny", "feedforward/tiny"])
def test_the_files_of_that_network_alone_are_used_where_they_lie(home: Path, name: str) -> None:
    write_network(home.parent, "other")
    resolved = resolve(name)
    assert resolved.in_place == home
    assert [str(file.path) for file in resolved.files] == [
        "tiny.yaml", "tiny.safetensors", "tiny.hard.safetensors",
    ]  # fmt: skip
    assert (resolved.format, resolved.kind, resolved.revision) == ("lut", "lut", None)
    assert (resolved.origin, resolved.license) == (home.as_uri(), "unknown")


def test_a_network_of_the_current_folder_goes_before_others(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nearer = write_network(tmp_path / "pretrained", with_bits=False)
    monkeypatch.chdir(tmp_path)
    resolved = resolve("tiny")
    assert resolved.in_place == nearer
    assert len(resolved.files) == 2


def test_this_packages_own_say_so() -> None:
    resolved = resolve("digits_tiny")
    assert (resolved.origin, resolved.license) == ("package pytest-potmodels", "Apache-2.0")


def test_weights_that_are_nowhere_are_never_drawn(home: Path) -> None:
    (home / "tiny.safetensors").unlink()
    with pytest.raises(LUTWeightsError, match="no weights beside it") as raised:
        resolve("tiny")
    assert (raised.value.reason, raised.value.substitutable) == (Reason.NOT_CACHED, True)
    assert raised.value.remedy == "train it: potmodels lut train tiny"


def test_an_unknown_name_has_close_matches(home: Path) -> None:
    with pytest.raises(LUTNameError, match="'tiny'"):
        resolve("tinny")
