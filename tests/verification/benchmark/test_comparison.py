from dataclasses import replace
from pathlib import Path

import pytest
from verification.benchmark.rows import DESK, SERVER, row

from pytest_potmodels import extras
from pytest_potmodels.errors import MissingPackageError, StoreError
from pytest_potmodels.verification.benchmark import machine, plot
from pytest_potmodels.verification.benchmark.comparison import compared, machines


def test_the_latest_rows_of_both_frameworks_are_beside_each_other() -> None:
    later = "2026-01-02T00:00:00+00:00"
    (found,) = compared([row(time=later, p50_ms=6.0), row(p50_ms=1.0), row("onnxruntime")])
    assert found.torch is not None
    assert found.torch.p50_ms == 6.0
    assert found.speedup == 3.0


def test_rows_of_two_machines_are_never_compared() -> None:
    found = compared([row(machine=DESK), row("onnxruntime", machine=SERVER)])
    assert len(found) == 2
    assert [each.speedup for each in found] == [None, None]


def test_rows_of_other_sizes_or_cores_are_never_compared() -> None:
    others = [row("onnxruntime", threads=8), row("onnxruntime", inputs={"input_ids": "9x32"})]
    assert [each.speedup for each in compared([row(), *others])] == [None, None, None]


def test_rows_of_another_export_or_revision_are_never_compared() -> None:
    later = "2026-01-02T00:00:00+00:00"
    newer = row("onnxruntime", time=later)
    for other in (replace(newer, digest="b" * 64), replace(newer, revision="b" * 40)):
        (found,) = compared([row(), other])
        assert (found.torch, found.speedup) == (None, None)
        assert found.onnxruntime is not None


def test_rows_that_failed_are_left_out() -> None:
    assert compared([row(status="failed")]) == []


def test_a_machine_is_told_by_what_times_depend_on() -> None:
    here = machine.description()
    assert here["processor"]
    assert int(here["cores"]) > 0
    assert machine.key_of(here) == machine.key_of(dict(reversed(here.items())))
    assert machine.key_of(DESK) != machine.key_of(SERVER)
    assert machines([row()]) == {machine.key_of(DESK): "Desk, 2 cores, 8 GB, Linux"}


def test_a_plot_is_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    rows = [row(), row("onnxruntime"), row(machine=SERVER, model_id="org/other", p50_ms=4000.0)]
    path = tmp_path / "plot.png"
    plot.draw(path, compared(rows), machines(rows))
    assert path.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(StoreError, match="--plot"):
        plot.draw(tmp_path / "absent" / "plot.png", compared(rows), machines(rows))


def test_rows_of_one_model_are_told_apart_in_the_plot() -> None:
    pytest.importorskip("matplotlib")
    shapes = {"input_ids": "1x32", "attention_mask": "1x32"}
    pairs = [
        each
        for backend, p50 in (("torch", 2600.0), ("onnxruntime", 2.0))
        for each in (
            row(backend, threads=1, inputs=shapes, p50_ms=p50),
            row(backend, threads=4, inputs={"input_ids": "8x32"}),
        )
    ]
    labels = [plot._label(each, full=True) for each in compared(pairs)]
    assert sorted(labels) == [
        "org/model\n(converted, 1 core, 1x32, 1,300x)",
        "org/model\n(converted, 4 cores, 8x32, 2x)",
    ]


def test_without_matplotlib_the_pip_line_is_told() -> None:
    with pytest.raises(MissingPackageError) as caught:
        raise extras.missing("matplotlib.figure", ModuleNotFoundError(name="matplotlib"))
    assert "pip install matplotlib" in caught.value.remedy
    assert "pytest-potmodels[benchmark]" in caught.value.remedy
