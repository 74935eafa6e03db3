"""What people see who wait for an export."""

from pytest_potmodels.session.export_lines import ExportLines


def test_that_it_begins_is_told_at_once_and_how_far_it_is_every_five_seconds() -> None:
    now, said = [0.0], list[str]()
    tell = ExportLines("bert", said.append, clock=lambda: now[0])
    for second, line in (
        (0, "importing"),
        (3, "loading"),
        (6, "exporting"),
        (7, "comparing"),
        (31, "exporting again"),
    ):
        now[0] = float(second)
        tell(line)
    now[0] = 32.0
    tell.done()
    assert said == [
        "making the ONNX file of bert, once for this machine",
        "the ONNX file of bert: exporting (6 s)",
        "the ONNX file of bert: exporting again (31 s)",
        "made the ONNX file of bert in 32 s",
    ]


def test_a_file_that_is_there_is_nobody_s_news() -> None:
    said = list[str]()
    ExportLines("bert", said.append).done()
    assert said == []
