"""What becomes of strategies that fail: the verdict, and what ends the climb at once."""

import errno
from pathlib import Path
from typing import Any

import pytest
from onnx_export.asking import open_cache, request

from pytest_potmodels.errors import (
    MissingPackageError,
    ModelConversionError,
    ModelUnsupportedError,
    PotModelsError,
    Reason,
    UnavailableError,
    UsageError,
)
from pytest_potmodels.onnx_export import child, ladder
from pytest_potmodels.onnx_export.ladder import Limits
from pytest_potmodels.onnx_export.onnx_model import Tried
from pytest_potmodels.onnx_export.order import Order
from pytest_potmodels.onnx_export.process import Ended
from pytest_potmodels.onnx_export.refusals import GateError
from pytest_potmodels.onnx_export.subject import UnfitError

LIMITS = Limits(60, 1 << 30)


@pytest.fixture
def order(tmp_path: Path) -> Order:
    wanted = request("mock:vision")
    return Order(open_cache(tmp_path).acquire(wanted), wanted.options)


def test_what_nothing_can_export_is_a_reason_to_skip(order: Order) -> None:
    tried = [Tried("dynamo", "capture", "no such operator"), Tried("legacy", "gate", "off by 3")]
    found = ladder._verdict(order, tried)
    assert type(found) is ModelUnsupportedError
    assert found.tried == ("dynamo: no such operator", "legacy: off by 3")
    assert "\n  dynamo: no such operator\n  legacy: off by 3" in found.message


@pytest.mark.parametrize("kind", ["gate", "died", "memory"])
def test_a_wrong_graph_and_a_dead_process_are_errors(kind: str, order: Order) -> None:
    tried = [Tried("dynamo", kind, "why"), Tried("legacy", "export", "no such operator")]
    found = ladder._verdict(order, tried)
    assert type(found) is ModelConversionError
    assert ("memory=BYTES" in found.remedy) == (kind == "memory")


def stop(order: Order, ended: Ended, tried: list[Tried] | None = None) -> None:
    ladder._stop_if_useless(order, ended, tried or [], LIMITS)


@pytest.mark.parametrize("kind", ["export", "capture", "gate", "died", "memory"])
def test_another_strategy_may_do_better(kind: str, order: Order) -> None:
    stop(order, Ended(kind, "why"))


def test_a_full_disk_is_told_as_one(order: Order) -> None:
    with pytest.raises(OSError, match="no room") as caught:
        stop(order, Ended("full", "no room"))
    assert caught.value.errno == errno.ENOSPC
    assert child._kind(OSError(errno.ENOSPC, "no room")) == "full"
    assert child._kind(OSError(errno.EIO, "broken")) == "export"


def test_a_model_that_cannot_be_fed_is_not_tried_again(order: Order) -> None:
    with pytest.raises(ModelUnsupportedError, match="register_recipe"):
        stop(order, Ended("unfit", "its output is zero"))
    # A strategy that changes what is free may have nothing left to change.
    stop(order, Ended("unfit", "all its free axes are batches"), [Tried("dynamo", "export", "no")])


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("", UsageError),
        (str(Reason.PACKAGE_MISSING), MissingPackageError),
        (str(Reason.NOT_LOADABLE), UnavailableError),
    ],
)
def test_an_error_of_ours_is_raised_here_as_it_was_there(
    reason: str, kind: type[PotModelsError], order: Order
) -> None:
    facts: dict[str, Any] = {"reason": reason, "message": "what", "remedy": "how"}
    with pytest.raises(kind) as caught:
        stop(order, Ended("refused", "what", facts))
    assert type(caught.value) is kind
    assert (caught.value.message, caught.value.remedy) == ("what", "how")


def test_the_line_of_a_page_of_advice_that_says_something_is_kept() -> None:
    class TorchExportError(Exception):
        """torch's has this name."""

    page = "Failed to export.\nNext steps:\n- Modify\n\n<class 'ValueError'>: sequence is fixed\n"
    assert child._words(TorchExportError(page)) == (
        "TorchExportError: <class 'ValueError'>: sequence is fixed"
    )
    assert child._kind(TorchExportError(page)) == "capture"
    assert child._words(GateError("logits is off")) == "logits is off"
    assert child._kind(UnfitError("zero")) == "unfit"
    assert len(child._words(ValueError("x" * 9999))) <= 500


def test_formats_are_not_sent_up_rungs_that_make_no_sense(order: Order) -> None:
    assert list(ladder._sensible(order)) == [
        "dynamo", "dynamo-unoptimized", "static-sequence", "legacy",
    ]  # fmt: skip
