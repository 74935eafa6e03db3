from concurrent.futures import ThreadPoolExecutor

from verification.conftest import Filled

from pytest_potmodels.verification import ModelFileVerifier, Wanted
from pytest_potmodels.verification.benchmark import machine
from pytest_potmodels.verification.benchmark.how import How
from pytest_potmodels.verification.benchmark.running import benchmarked

QUICK = How(runs=2, warmup=0, threads=1)


def test_a_row_tells_what_was_measured_where_and_of_what(filled: Filled) -> None:
    wanted = [Wanted("t5-small", model_type="t5"), Wanted("org/none")]
    absent, row = benchmarked(ModelFileVerifier(), wanted, QUICK, backends=["onnxruntime"])
    assert (absent.status, absent.backend, absent.kind) == ("failed", "", "ModelFileNotFoundError")
    assert (absent.run, absent.machine_key) == (row.run, row.machine_key)
    assert (row.status, row.backend, row.source) == ("ok", "onnxruntime", "original")
    assert (row.model_type, row.detected_by) == ("t5", "override")
    assert row.path == str(filled.of("t5-small").path)
    assert row.digest == filled.of("t5-small").digest
    assert row.inputs == {"input_ids": "1x32", "attention_mask": "1x32"}
    assert row.machine == machine.description()
    assert (row.runs, row.warmup, row.threads) == (2, 0, 1)


def test_a_framework_that_fails_keeps_its_row_and_the_others(filled: Filled) -> None:
    """Of org/large the hub has no PyTorch weights."""
    found = {r.backend: r for r in benchmarked(ModelFileVerifier(), [Wanted("org/large")], QUICK)}
    assert found["onnxruntime"].status == "ok"
    assert (found["torch"].status, found["torch"].reason) == ("failed", "not-loadable")
    assert found["torch"].source == "original"
    assert found["torch"].p50_ms == 0


def test_on_an_executor_each_measurement_has_a_process_of_its_own(filled: Filled) -> None:
    with ThreadPoolExecutor(1) as executor:
        (row,) = benchmarked(
            ModelFileVerifier(), [Wanted("t5-small")], QUICK,
            backends=["onnxruntime"], executor=executor,
        )  # fmt: skip
    assert row.status == "ok", row.error
    assert row.import_s > 0.001  # It was not here already.
