import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
import pytest
from standin import Hang, StandIn
from verification.conftest import TOKEN, Filled

from pytest_potmodels.errors import ModelVerificationError, UnknownNameError, UsageError
from pytest_potmodels.onnx_export import recipes
from pytest_potmodels.verification import ModelFileVerifier, Verification
from pytest_potmodels.verification.processes import Processes, default_workers

MODELS = [
    {"model_id": "bert-base-uncased", "file_path": "model.onnx", "model_type": "bert"},
    {"model_id": "org/none"},
    {"model_id": "t5-small"},
    {"model_id": "t5-small"},
]
#: As a user writes it: at the top of a file, with nothing to keep it from running twice.
SCRIPT = """
from pytest_potmodels.verification import ModelFileVerifier

print("begun")
results = ModelFileVerifier().batch_verify_models([
    {"model_id": "bert-base-uncased"}, {"model_id": "t5-small"},
])
print([each.ok for each in results])
"""


def told(results: list[Verification]) -> list[str]:
    return [each.source or (each.problem.kind if each.problem else "") for each in results]


def test_each_model_has_its_result_in_the_order_of_the_list(filled: Filled) -> None:
    heard: list[Verification] = []
    results = ModelFileVerifier().batch_verify_models(MODELS, on_result=heard.append)
    assert told(results) == ["converted", "ModelFileNotFoundError", "original", "original"]
    assert (results[0].model_type, results[0].detected_by) == ("bert", "override")
    assert (results[2].model_type, results[2].detected_by) == ("bert", "config.json")
    assert results[2] is results[3]
    assert len(heard) == 3


def test_a_script_needs_no_guard(filled: Filled, project: Path) -> None:
    script = project / "script.py"
    script.write_text(SCRIPT)
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert ended.stdout.splitlines() == ["begun", "[True, True]"], ended.stderr


def test_any_executor_will_do(filled: Filled) -> None:
    with ThreadPoolExecutor(2) as executor:
        results = ModelFileVerifier().batch_verify_models(MODELS, executor=executor)
    assert told(results)[::2] == ["converted", "original"]


def test_what_is_no_executor_is_refused(verifier: ModelFileVerifier) -> None:
    with pytest.raises(UsageError, match="7 is no executor"):
        verifier.batch_verify_models(MODELS, executor=7)  # type: ignore[arg-type]


def test_an_executor_that_ends_in_the_middle_fails_its_models_only(
    verifier: ModelFileVerifier,
) -> None:
    """Workers begin anew: a process that has threads must not be forked."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        assert isinstance(executor.submit(os._exit, 3).exception(), BrokenExecutor)
        (found,) = verifier.batch_verify_models([{"model_id": "org/none"}], executor=executor)
    assert told([found]) == ["ModelVerificationError"]
    assert found.problem is not None
    assert "process ended before it had a result" in found.problem.message


def test_what_an_executor_cancels_is_told(verifier: ModelFileVerifier) -> None:
    class Cancelling(Executor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    (found,) = verifier.batch_verify_models([{"model_id": "org/none"}], executor=Cancelling())
    assert found.problem is not None
    assert "cancelled" in found.problem.message


def test_recipes_of_the_program_go_with_the_work(verifier: ModelFileVerifier) -> None:
    mine = recipes.Recipe("mine", (recipes.Input("x", ("batch", 4), "noise"),), ("own",))
    asked = {"model_id": "org/none", "model_type": "own"}
    with recipes.lent([mine]):
        job = verifier.job("verify", asked)
        assert told(verifier.batch_verify_models([asked])) == ["ModelFileNotFoundError"]
    sent = json.loads(json.dumps(job.as_json()))["recipes"]
    assert [recipes.from_json(each) for each in sent] == [mine]
    assert recipes.registered() == ()
    with pytest.raises(UnknownNameError, match="'own'"):
        verifier.batch_verify_models([asked])


def test_a_token_does_not_leave_with_an_executor(verifier: ModelFileVerifier) -> None:
    verifier = ModelFileVerifier(huggingface_token=TOKEN)
    with ThreadPoolExecutor(1) as executor, pytest.raises(UsageError, match="passed by hand"):
        verifier.batch_verify_models(MODELS, executor=executor)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_process_that_is_killed_is_a_failure_of_its_model(project: Path, hub: StandIn) -> None:
    hub.fault(Hang(seconds=60), "/api/models/org/large", times=None)
    killer = threading.Thread(target=_kill_the_child, daemon=True)
    killer.start()
    results = ModelFileVerifier().batch_verify_models([{"model_id": "org/large"}])
    killer.join()
    assert results[0].problem is not None
    assert "signal 9" in results[0].problem.message
    assert "--jobs 1" in results[0].problem.remedy


def _kill_the_child() -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        for child in psutil.Process().children():
            with_it = " ".join(child.cmdline())
            if "verification.child" in with_it:
                time.sleep(0.3)
                os.kill(child.pid, signal.SIGKILL)
                return
        time.sleep(0.02)


def test_who_stops_leaves_no_process_behind(project: Path, hub: StandIn) -> None:
    hub.fault(Hang(seconds=60), "/api/models/org/large", times=None)
    verifier = ModelFileVerifier()
    job = verifier.job("verify", {"model_id": "org/large"})
    with Processes(1) as processes:
        future, waiting = processes.submit(job), processes.submit(job)
        while not processes._live:
            time.sleep(0.01)
        (child,) = processes._live
    assert child.poll() is not None
    assert isinstance(future.exception(), ModelVerificationError)
    assert waiting.cancelled() or waiting.exception() is not None


def test_workers_are_bounded() -> None:
    assert default_workers(1) == 1
    assert 1 <= default_workers(1000) <= (os.cpu_count() or 1)
