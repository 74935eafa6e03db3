"""The form of a graph that is mapped: made once, the same numbers, and what is said without it."""

import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loading.graphs import dense, sample

from pytest_potmodels.artifacts import StoredFile, StoredModel
from pytest_potmodels.digests import hash_file
from pytest_potmodels.errors import UnavailableError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.loading import onnx_files, onnx_optimised
from pytest_potmodels.loading.onnx_optimised import Optimiser
from pytest_potmodels.loading.onnx_session import open_session, run
from pytest_potmodels.store.derived import DerivedStore
from pytest_potmodels.store.layout import Layout

#: 9 MB of weights.
WIDTH = 1500


def stored(file: Path) -> StoredModel:
    folder = file.parent
    files = tuple(
        StoredFile(path.name, path.stat().st_size, hash_file(path).sha256)
        for path in sorted(folder.iterdir())
    )
    return StoredModel(ModelId("file", "graph"), folder, "vision", "onnx", files)


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> StoredModel:
    return stored(dense(tmp_path_factory.mktemp("graph"), width=WIDTH, data="model.onnx.data"))


def optimiser(cache: Path) -> Optimiser:
    return Optimiser(DerivedStore(Layout.at(cache)), timeout=60, threads=1)


def made(cache: Path) -> list[Path]:
    return sorted((cache / "derived").glob("session-*"))


def answer(session: Any) -> Any:
    return run(session, (sample(WIDTH),), {}).y


def test_it_is_made_once_and_answers_the_same_bits(graph: StoredModel, tmp_path: Path) -> None:
    files = onnx_files.of_stored(graph)
    first, second = (optimiser(tmp_path).open(files, graph) for _ in range(2))
    assert (first.not_shared, second.not_shared) == ("", "")
    (folder,) = made(tmp_path)
    assert folder.name == onnx_optimised.key_of(files)
    plain = answer(open_session(files.file, threads=1, device="cpu"))
    assert np.array_equal(answer(first.session), plain)
    assert np.array_equal(answer(second.session), plain)
    assert str(tmp_path).encode() not in (folder / "model.onnx").read_bytes()


def test_a_small_graph_is_opened_as_it_is(tmp_path: Path) -> None:
    small = stored(dense(tmp_path / "graph"))
    got = optimiser(tmp_path).open(onnx_files.of_stored(small), small)
    assert got.not_shared == ""
    assert not made(tmp_path)


def test_another_processor_has_a_form_of_its_own(
    graph: StoredModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = onnx_files.of_stored(graph)
    here = onnx_optimised.key_of(files)
    monkeypatch.setattr(onnx_optimised, "_processor", lambda: "another")
    assert onnx_optimised.key_of(files) != here


def test_a_cache_that_takes_no_files_is_said(
    graph: StoredModel, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "derived").write_text("a file is in the way", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        got = optimiser(tmp_path).open(onnx_files.of_stored(graph), graph)
    assert "cannot be stored" in got.not_shared
    assert "each process has its own weights" in caplog.text
    assert answer(got.session).shape == (3, WIDTH)


def test_a_damaged_form_is_made_again(graph: StoredModel, tmp_path: Path) -> None:
    files = onnx_files.of_stored(graph)
    expected = answer(optimiser(tmp_path).open(files, graph).session)
    (folder,) = made(tmp_path)
    data = folder / "model.onnx.data"
    if sys.platform == "win32":
        pytest.skip("Windows changes no file that is mapped")
    data.chmod(0o600)
    data.unlink()
    data.write_bytes(b"\0" * 1000)
    got = optimiser(tmp_path).open(files, graph)
    assert np.array_equal(answer(got.session), expected)
    assert data.stat().st_size > 1000


def test_a_file_that_is_no_graph_is_not_blamed_on_the_form(tmp_path: Path) -> None:
    file = tmp_path / "graph" / "model.onnx"
    file.parent.mkdir()
    file.write_bytes(b"\xff" * (5 << 20))
    broken = stored(file)
    with pytest.raises(UnavailableError, match=r"cannot open .*graph.model\.onnx"):
        optimiser(tmp_path).open(onnx_files.of_stored(broken), broken)


def test_several_graphs_need_a_name(tmp_path: Path) -> None:
    dense(tmp_path)
    for name in ("encoder.onnx", "decoder.onnx"):
        (tmp_path / "model.onnx").with_name(name).write_bytes(b"")
    (tmp_path / "model.onnx").unlink()
    with pytest.raises(UnavailableError, match=r"has 2 ONNX files: decoder\.onnx, encoder\.onnx"):
        onnx_files.of_stored(stored(tmp_path / "encoder.onnx"))
