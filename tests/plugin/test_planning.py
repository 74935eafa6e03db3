"""`--pot-plan`: what the selected tests need; nothing is run, and no model is fetched."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from standin import StandIn
from standin.models import tiny_bert

#: None of these may run.
TESTS = """
import pytest

@pytest.mark.requires_model("org/model")
def test_required():
    raise AssertionError

@pytest.mark.pot_model("org/other@main")
@pytest.mark.parametrize("n", range(3))
def test_named(pot_models, n):
    raise AssertionError

def test_mock(test_vision_model):
    raise AssertionError

def test_needs_none():
    raise AssertionError
"""
SIZE = sum(len(data) for data in tiny_bert().values())


@pytest.fixture
def hub(site: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    for seed, name in enumerate(("org/model", "org/other")):
        site.add_repo(name, tiny_bert(seed=seed))
    for name, value in site.environ().items():
        monkeypatch.setenv(name, value)
    return site


def run(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    return pytester.run(sys.executable, "-m", "pytest", *args)


def planned(pytester: pytest.Pytester, *args: str) -> list[dict[str, Any]]:
    result = run(pytester, "--pot-plan=json", *args)
    assert result.ret == 0, result.stderr.str()
    found: list[dict[str, Any]] = json.loads(result.stdout.str())
    return found


def row(result: pytest.RunResult, name: str) -> list[str]:
    (line,) = [line for line in result.outlines if line.startswith(f"{name} ")]
    return line.split()


def test_the_table_says_what_is_needed_and_runs_nothing(
    pytester: pytest.Pytester, hub: StandIn, tmp_path: Path
) -> None:
    pytester.makepyfile(TESTS)
    result = run(pytester, "--pot-plan")
    assert result.ret == 0
    size = f"{SIZE / 1000:.1f}"
    lines = (
        "model * id * revision * tests * required * size * state",
        "mock-cnn * mock:vision * - * 1 * - * - * mock",
        f"org/model * huggingface:org/model * 1 * yes * {size} kB * to fetch",
        f"org/other@main * huggingface:org/other@main * 3 * - * {size} kB * to fetch",
        "5 tests with models, 3 models: 2 to fetch, 1 mock",
        f"{2 * SIZE / 1000:.1f} kB to fetch, * free in {tmp_path}*",
        "*6 tests collected in *",
    )
    result.stdout.fnmatch_lines(
        ["*= models needed =*", *(each.replace(" * ", " *") for each in lines)]
    )
    assert "<Function" not in result.stdout.str()
    assert hub.log.gets("/resolve/") == 0
    assert not (tmp_path / "cache").exists()


def test_what_is_in_the_cache_is_told(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyfile(
        test_one=TESTS.partition("@pytest.mark.pot_model")[0].replace("raise AssertionError", "...")
    )
    run(pytester)
    hub.log.clear()
    result = run(pytester, "--pot-plan")
    assert row(result, "org/model")[-1] == "cached"
    result.stdout.fnmatch_lines(["1 test with models, 1 model: 1 cached", "0 bytes to fetch, *"])
    assert list(hub.log) == []


def test_json_is_the_array_and_nothing_else(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyfile(TESTS)
    pytester.makeconftest("def pytest_sessionfinish():\n    print('a conftest has its say')\n")
    result = run(pytester, "--pot-plan=json")
    assert result.ret == 0
    mock, model, other = json.loads(result.stdout.str())
    commit = model.pop("revision")
    assert len(commit) == 40
    assert {file["path"] for file in model.pop("files")} == set(tiny_bert())
    assert model == {
        "name": "org/model",
        "asked": ["org/model"],
        "id": "huggingface:org/model",
        "source": "huggingface",
        "kind": "language",
        "weights": None,
        "architecture": None,
        "required": True,
        "state": "to fetch",
        "cached": False,
        "reason": None,
        "size": SIZE,
        "tests": ["test_json_is_the_array_and_nothing_else.py::test_required"],
        "because": ['requires_model("org/model") on the test'],
    }
    assert [test.partition("::")[2] for test in other["tests"]] == [
        f"test_named[{n}]" for n in range(3)
    ]
    assert (mock["state"], mock["size"], mock["required"]) == ("mock", None, False)
    result.stderr.fnmatch_lines(["*= models needed =*", "*a conftest has its say*"])


def test_json_is_the_same_every_time(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyfile(TESTS)
    first, second = (run(pytester, "--pot-plan=json").stdout.str() for _ in range(2))
    assert first == second


@pytest.mark.parametrize("args", [("-n2",), ("-n2", "--dist=worksteal"), ("-p", "no:xdist")])
def test_workers_change_nothing(
    pytester: pytest.Pytester, hub: StandIn, args: tuple[str, ...]
) -> None:
    pytester.makepyfile(TESTS)
    assert planned(pytester, *args) == planned(pytester)
    assert not re.search(r"\d workers?\b", run(pytester, "--pot-plan", *args).stdout.str())


def test_only_selected_tests_count(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyfile(TESTS)
    (only,) = planned(pytester, "-k", "named and 1")
    assert [test.partition("::")[2] for test in only["tests"]] == ["test_named[1]"]


@pytest.mark.parametrize("source", ["def test_it(): ...", TESTS])
def test_a_run_without_models_has_an_empty_plan(
    pytester: pytest.Pytester, hub: StandIn, source: str
) -> None:
    pytester.makepyfile(source)
    selected = ("-k", "needs_none or test_it and not required")
    result = run(pytester, "--pot-plan", *selected)
    result.stdout.fnmatch_lines(["*= models needed =*", "the selected tests need no model"])
    assert planned(pytester, *selected) == []


def test_a_closed_network_leaves_sizes_unknown(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyfile(TESTS)
    result = run(pytester, "--pot-plan", "--pot-offline")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["org/model *unknown  unavailable: not-cached: *not in the cache*by --pot-offline."]
    )
    found = planned(pytester, "--pot-offline")
    assert [(each["state"], each["reason"]) for each in found[1:]] == [
        ("unavailable", "not-cached")
    ] * 2
    assert list(hub.log) == []


def test_what_cannot_be_had_is_told_with_its_reason(
    pytester: pytest.Pytester, hub: StandIn
) -> None:
    pytester.makepyfile(TESTS.replace("org/other@main", "org/other@v9"))
    by_name = {each["name"]: each for each in planned(pytester)}
    assert by_name["org/other@v9"]["reason"] == "unknown-revision"
    assert by_name["org/model"]["state"] == "to fetch"


def test_only_mocks_leave_nothing_to_fetch(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyfile(TESTS)
    found = {each["name"]: each for each in planned(pytester, "--pot-mock=always")}
    assert found["org/other@main"]["state"] == "mock"
    assert found["org/model"]["reason"] == "mock-only"
    assert list(hub.log) == []


def test_a_model_over_the_limit_names_the_option(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyfile(TESTS)
    result = run(pytester, "--pot-plan", "--pot-max-size=1kB")
    result.stdout.fnmatch_lines(
        [f"org/model *{SIZE / 1000:.1f} kB  unavailable: too-large: *--pot-max-size allows 1.0 kB."]
    )


def test_a_disk_that_is_too_small_is_a_warning(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyfile(TESTS)
    pytester.makeconftest(
        "import shutil\n"
        "whole = shutil.disk_usage\n"
        "shutil.disk_usage = lambda path: whole(path)._replace(free=5000)\n"
    )
    result = run(pytester, "--pot-plan")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["*kB to fetch, 5.0 kB free in *", "warning: that is not enough; *--pot-cache-dir"]
    )


def test_a_collection_error_leaves_no_plan(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyfile(test_good=TESTS, test_bad="import nowhere_to_be_found")
    result = run(pytester, "--pot-plan=json")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert result.stdout.str() == ""
    result.stderr.fnmatch_lines(["*no plan: not all tests*", "*ModuleNotFoundError*"])
    table = run(pytester, "--pot-plan", "--continue-on-collection-errors")
    assert table.ret == pytest.ExitCode.TESTS_FAILED
    assert "models needed" not in table.stdout.str()


def test_a_wrong_mark_leaves_no_plan(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyfile(TESTS.replace("org/model", "resnet19"))
    result = run(pytester, "--pot-plan")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*unknown model 'resnet19'*"])
    assert "models needed" not in result.stdout.str()


def test_no_test_at_all_is_what_pytest_says_it_is(pytester: pytest.Pytester) -> None:
    assert run(pytester, "--pot-plan").ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_file_of_ones_own_is_in_place(pytester: pytest.Pytester, hub: StandIn) -> None:
    folder = pytester.mkdir("tuned")
    for path, data in tiny_bert().items():
        (folder / path).write_bytes(data)
    pytester.makepyfile(
        "import pytest\n\n"
        '@pytest.mark.pot_model("file:tuned", kind="language")\n'
        "def test_it(language_model): ...\n"
    )
    (found,) = planned(pytester)
    assert (found["state"], found["source"]) == ("cached", "file")
    assert found["size"] == SIZE


def test_the_network_is_open_to_a_plan_of_a_warm_run(
    pytester: pytest.Pytester, hub: StandIn
) -> None:
    pytester.makepyfile(TESTS)
    assert planned(pytester, "--pot-network=warm") == planned(pytester)
