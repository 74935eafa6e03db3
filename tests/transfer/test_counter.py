import threading

from pytest_potmodels.transfer.counter import RequestCounter, Traffic


def test_nothing_is_lost_between_threads() -> None:
    counter = RequestCounter()

    def work() -> None:
        for _ in range(500):
            counter.request("hub")
            counter.received("hub", 3)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.snapshot().by_host == {"hub": Traffic(2000, 6000)}


def test_a_snapshot_does_not_change_later() -> None:
    counter = RequestCounter()
    counter.request("hub")
    before = counter.snapshot()
    counter.request("cdn")
    counter.received("cdn", 5)
    assert (before.requests, before.bytes, set(before.by_host)) == (1, 0, {"hub"})
    after = counter.snapshot()
    assert (after.requests, after.bytes) == (2, 5)
