"""Models come in the background, before the time of a test counts."""

import os
from collections import Counter
from pathlib import Path

import pytest
from standin import Stalled, StandIn, Status
from standin.models import tiny_bert, torchvision_weights

REQUIRES = """
import pytest

@pytest.mark.requires_model("{name}")
@pytest.mark.parametrize("n", range({count}))
def test_it(n): ...
"""
#: As pytest-timeout stands: a wrapper without an order, and the time of each set-up.
CLOCK = """
import time
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    started = time.monotonic()
    result = yield
    print(f"\\nprotocol: {item.name} {time.monotonic() - started:.2f}")
    return result

def pytest_runtest_logreport(report):
    if report.when == "setup":
        print(f"\\nset-up: {report.nodeid} {report.duration:.2f}")
"""


@pytest.fixture
def hub(site: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    for seed, name in enumerate(("org/model", "org/other", "org/third")):
        site.add_repo(name, tiny_bert(seed=seed))
    for name, value in site.environ().items():
        monkeypatch.setenv(name, value)
    return site


def cached(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "cache" / "models").glob("*"))


def times(result: pytest.RunResult, what: str) -> list[float]:
    found = [line.split()[-1] for line in result.outlines if line.startswith(f"{what}: ")]
    return [float(each) for each in found]


def test_waiting_is_no_part_of_a_tests_time(pytester: pytest.Pytester, hub: StandIn) -> None:
    hub.fault(Stalled(at=1000, seconds=4), "model.safetensors")
    pytester.makeconftest(CLOCK)
    pytester.makepyfile(REQUIRES.format(name="org/model", count=2))
    result = pytester.runpytest_subprocess("-s")
    result.assert_outcomes(passed=2)
    assert result.duration > 4
    measured = [*times(result, "protocol"), *times(result, "set-up")]
    assert len(measured) == 4
    assert max(measured) < 2, result.outlines


def test_tests_that_need_no_model_run_meanwhile(
    pytester: pytest.Pytester, hub: StandIn, tmp_path: Path
) -> None:
    hub.fault(Stalled(at=1000, seconds=4), "model.safetensors")
    pytester.makepyfile(
        f"""
        import threading
        from pathlib import Path
        import pytest

        ENTRY = Path({str(tmp_path)!r}) / "cache" / "models" / "huggingface_org--model"

        def test_needs_none():
            assert not ENTRY.exists()
            assert any("prefetch" in thread.name for thread in threading.enumerate())

        @pytest.mark.requires_model("org/model")
        def test_needs_one():
            assert ENTRY.exists()
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=2)


def test_only_what_the_selected_tests_need_is_fetched(
    pytester: pytest.Pytester, hub: StandIn, tmp_path: Path
) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.requires_model("org/model")
        def test_model(): ...

        @pytest.mark.requires_model("org/other")
        def test_other(): ...

        @pytest.mark.requires_model("org/third")
        @pytest.mark.skipif("1 + 1 == 2", reason="never")
        def test_skipped(): ...
        """
    )
    pytester.runpytest_subprocess("-k", "not test_other").assert_outcomes(
        passed=1, skipped=1, deselected=1
    )
    assert cached(tmp_path) == ["huggingface_org--model"]
    assert hub.log.gets("org/other") == hub.log.gets("org/third") == 0


def test_four_workers_ask_for_each_file_once(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("n", [
            pytest.param(n, marks=pytest.mark.requires_model(f"org/{name}"))
            for n in range(8) for name in ("model", "other", "third")
        ])
        def test_it(n): ...
        """
    )
    pytester.runpytest_subprocess("-n4").assert_outcomes(passed=24)
    asked = Counter(each.path for each in hub.log if each.method == "GET")
    assert set(asked.values()) == {1}, asked
    assert hub.log.gets("/api/models/") == hub.log.gets("/repos/") == 3


@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_a_failure_is_remembered(
    pytester: pytest.Pytester, hub: StandIn, workers: tuple[str, ...]
) -> None:
    hub.fault(Status(500), "/api/models/", times=None)
    pytester.makepyfile(REQUIRES.format(name="org/model", count=8))
    result = pytester.runpytest_subprocess("--pot-retries=0", "-rs", *workers)
    result.assert_outcomes(skipped=8)
    assert result.stdout.str().count("[server-error]") == 1  # Folded: all eight say the same.
    result.stdout.fnmatch_lines(["SKIPPED [[]8[]] *org/model [[]server-error[]]: *500*"])
    assert hub.log.gets("/api/models/") == 1


def test_what_failed_ahead_is_mocked_by_the_policy(pytester: pytest.Pytester, hub: StandIn) -> None:
    hub.fault(Status(500), "/api/models/", times=None)
    pytester.makepyfile(
        """
        import pytest
        pytestmark = pytest.mark.pot_model("org/model")

        @pytest.mark.parametrize("n", range(3))
        def test_it(language_model, n):
            assert language_model.is_mock
        """
    )
    result = pytester.runpytest_subprocess("--pot-retries=0")
    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["mock  org/model  3 tests, server-error: *500*"])
    assert hub.log.gets("/api/models/") == 1


def test_nothing_is_begun_where_all_is_in_the_cache(
    pytester: pytest.Pytester, hub: StandIn
) -> None:
    pytester.makepyfile(REQUIRES.format(name="org/model", count=1))
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
    hub.log.clear()
    pytester.makepyfile(
        """
        import threading
        import pytest

        @pytest.mark.requires_model("org/model")
        def test_it():
            assert threading.active_count() == 1
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
    assert list(hub.log) == []


@pytest.mark.parametrize("option", ["--pot-offline", "--pot-mock=always"])
def test_nothing_is_begun_where_nothing_may_be_fetched(
    pytester: pytest.Pytester, hub: StandIn, option: str
) -> None:
    pytester.makepyfile("def test_it(language_model):\n    assert language_model.is_mock\n")
    pytester.runpytest_subprocess(option).assert_outcomes(passed=1)
    assert list(hub.log) == []


def test_collection_errors_begin_nothing(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyfile(
        test_good=REQUIRES.format(name="org/model", count=1), test_bad="import nowhere_to_be_found"
    )
    assert pytester.runpytest_subprocess().ret == pytest.ExitCode.INTERRUPTED
    assert list(hub.log) == []
    forced = pytester.runpytest_subprocess("--continue-on-collection-errors")
    forced.assert_outcomes(passed=1, errors=1)
    assert hub.log.gets("model.safetensors") == 1


def test_the_first_model_of_a_fetch_says_so(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyfile(
        """
        import pytest
        pytestmark = pytest.mark.requires_model("org/model")

        def test_first(language_model):
            assert language_model.source == "pretrained"

        def test_second(language_model):
            assert language_model.source == "cached"
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=2)


def test_a_model_over_the_limit_moves_no_byte(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.requires_model("org/model")
        def test_large(): ...
        """
    )
    result = pytester.runpytest_subprocess("--pot-max-size=50kB")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*ERROR at setup of test_large*", "*ModelTooLargeError: *--pot-max-size allows 50.0 kB*"]
    )
    assert hub.log.bytes_sent("model.safetensors") == 0


def test_a_disk_without_room_for_all_takes_none(pytester: pytest.Pytester, hub: StandIn) -> None:
    size = sum(len(data) for data in tiny_bert().values())
    pytester.makeconftest(
        f"""
        import shutil

        whole = shutil.disk_usage
        shutil.disk_usage = lambda path: whole(path)._replace(free={int(size * 1.5)})
        """
    )
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("n", [
            pytest.param(name, marks=pytest.mark.requires_model(f"org/{name}"))
            for name in ("model", "other")
        ])
        def test_it(n): ...
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=2)
    said = f"take {2 * size / 1000:.1f} kB, {1.5 * size / 1000:.1f} kB are free"
    result.stdout.fnmatch_lines([f"StoreError: *the models of this run {said}: *"] * 2)
    assert hub.log.gets("/resolve/") == 0
    pytester.runpytest_subprocess("-k", "not other").assert_outcomes(passed=1, deselected=1)


def test_a_torchvision_file_comes_ahead_too(
    pytester: pytest.Pytester, hub: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    file_name, data = torchvision_weights("squeezenet1_1")
    hub.add_download(f"/models/{file_name}", data)
    pytester.makepyprojecttoml(
        f"""
        [tool.potmodels.models.ours]
        source = "torchvision"
        name = "squeezenet1_1"
        weights = "https://download.pytorch.org/models/{file_name}"
        """
    )
    pytester.makepyfile(
        f"""
        import os
        from pathlib import Path
        import pytest

        @pytest.fixture(autouse=True)
        def early():
            (folder,) = Path({os.environ["POT_CACHE_DIR"]!r}).glob("models/*")
            assert (folder / {file_name!r}).stat().st_size == {len(data)}

        @pytest.mark.pot_model("ours")
        def test_it(pot_models):
            assert pot_models.path("ours").is_dir()
        """
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
    assert hub.log.gets(file_name) == 1
