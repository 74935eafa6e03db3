"""Each kind of error: its code, its two lines, and no traceback unless asked for."""

import click
import pytest
from cli.harness import NAME, Cli
from standin import Repo

from pytest_potmodels.cli import exits
from pytest_potmodels.errors import (
    DigestMismatchError,
    PotModelsError,
    Reason,
    StoreError,
    UnavailableError,
    UsageError,
)

ERRORS = {
    "usage": (UsageError("said"), 2, "usage"),
    "unavailable": (UnavailableError("said", reason=Reason.GATED), 3, "gated"),
    "store": (StoreError("said"), 3, "store"),
    "digest": (DigestMismatchError("said", expected="a", found="b"), 4, "digest-mismatch"),
    "own": (PotModelsError("said"), 70, "internal"),
    "click": (click.BadParameter("said"), 2, "usage"),
    "system": (PermissionError(13, "said", "/there"), 3, "system"),
    "unforeseen": (KeyError("said"), 70, "internal"),
    "interrupt": (KeyboardInterrupt(), 130, "interrupted"),
    "abort": (click.Abort(), 130, "interrupted"),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_each_error_has_its_code(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    error, code, reason = ERRORS[kind]

    def run() -> None:
        raise error

    assert exits.exit_code(run, debug=False) == code
    assert exits.failure_of(error).reason == reason
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    assert printed.err.startswith("interrupted" if code == 130 else "error: ")


def test_what_a_command_returns_is_its_code() -> None:
    assert exits.exit_code(lambda: 1, debug=False) == 1
    assert exits.exit_code(lambda: None, debug=False) == 0


def test_an_error_is_one_line_and_its_remedy_another(capsys: pytest.CaptureFixture[str]) -> None:
    exits.tell(StoreError("two\nlines", remedy="do this"), debug=False)
    assert capsys.readouterr().err == "error: two lines\n  To mend it: do this\n"


def test_pytests_options_are_named_as_they_are_typed_here() -> None:
    error = StoreError("raise --pot-timeout", remedy="--pot-cache-dir DIR or POT_CACHE_DIR")
    failure = exits.failure_of(error)
    assert failure.message == "raise --timeout"
    assert failure.remedy == "--cache-dir DIR or POT_CACHE_DIR"
    # What only pytest has keeps its name.
    assert exits.failure_of(StoreError("--pot-max-size=1GB")).message == "--pot-max-size=1GB"


def test_a_batch_goes_on_and_ends_with_its_worst(capsys: pytest.CaptureFixture[str]) -> None:
    batch = exits.Batch()

    def fail(error: Exception) -> None:
        raise error

    assert batch.code == 0
    batch.attempt("a", lambda: fail(DigestMismatchError("d", expected="a", found="b")))
    batch.attempt("b", lambda: fail(UsageError("u")))
    assert batch.attempt("c", lambda: "went on") == "went on"
    assert batch.code == 4
    assert {what: failure.code for what, failure in batch.failures.items()} == {"a": 4, "b": 2}
    assert capsys.readouterr().err == "error: a: d\nerror: b: u\n"


def test_a_traceback_comes_only_with_debug(cli: Cli, tiny: Repo) -> None:
    quiet = cli.run("download", "huggingface:org/absent", code=3).stderr
    assert "Traceback" not in quiet
    loud = cli.run("download", "huggingface:org/absent", "--debug", code=3).stderr
    assert "Traceback (most recent call last)" in loud
    assert "\nerror: huggingface:org/absent: " in loud


def test_debug_shows_each_request(cli: Cli, tiny: Repo) -> None:
    said = cli.run("download", NAME, "--debug").stderr
    assert f"pytest_potmodels.transfer.client: GET {cli.site.hub.url}/org/tiny/resolve/" in said
    assert "Signature=" not in said


def test_a_folder_without_permission_is_no_internal_error(cli: Cli) -> None:
    cli.cache.write_text("a file where the folder should be")
    said = cli.fails("download", NAME, code=3)
    assert str(cli.cache) in said
