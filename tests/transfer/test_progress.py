from pytest_potmodels.transfer.progress import Progress, ProgressMeter


def test_moving_is_throttled_and_the_ends_are_not() -> None:
    events: list[Progress] = []
    meter = ProgressMeter(events.append)
    meter.report(Progress("a", 7, 10_000, "started"))
    for done in range(1000):
        meter.report(Progress("a", done, 10_000, "moving"))
    meter.report(Progress("a", 10_000, 10_000, "done"))
    assert [event.phase for event in (events[0], events[-1])] == ["started", "done"]
    assert events[0].done == 7
    assert len(events) < 100


def test_files_are_throttled_apart() -> None:
    events: list[Progress] = []
    meter = ProgressMeter(events.append)
    meter.report(Progress("a", 1, None, "moving"))
    meter.report(Progress("b", 1, None, "moving"))
    assert [event.path for event in events] == ["a", "b"]


def test_without_a_listener_nothing_happens() -> None:
    ProgressMeter(None).report(Progress("a", 0, 0, "done"))
