"""A real Dask cluster: it does the work, and when it does not, that is said."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from standin import Hang, StandIn
from verification.conftest import TOKEN, Filled

from pytest_potmodels import __version__
from pytest_potmodels.cli.dispatch import potmodels
from pytest_potmodels.errors import (
    MissingPackageError,
    ModelConnectionError,
    ModelVerificationError,
    UsageError,
)
from pytest_potmodels.verification import ModelFileVerifier, Wanted, together
from pytest_potmodels.verification.benchmark import database, machine
from pytest_potmodels.verification.benchmark.how import How
from pytest_potmodels.verification.benchmark.running import benchmarked
from pytest_potmodels.verification.cluster import executor_at

distributed = pytest.importorskip("distributed")

_WORKER = ("--no-nanny", "--no-dashboard", "--nthreads=1")
_PATIENCE = 60
_MODELS = [{"model_id": name} for name in ("bert-base-uncased", "org/none", "t5-small")]


@dataclass
class Cluster:
    """A scheduler and workers, each a process that inherits the variables of the test."""

    folder: Path
    address: str = ""
    scheduler: "subprocess.Popen[bytes] | None" = None
    workers: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def start(self, workers: int = 1, **environ: str) -> "Cluster":
        told = self.folder / "scheduler.json"
        self.scheduler = self._process(
            "scheduler", "--port=0", "--no-dashboard", "--host=127.0.0.1",
            f"--scheduler-file={told}", **environ,
        )  # fmt: skip
        self.address = _soon(lambda: json.loads(told.read_text())["address"])
        for number in range(workers):
            where = f"--local-directory={self.folder / str(number)}"
            self.workers.append(self._process("worker", self.address, where, *_WORKER))
        return self

    def _process(self, what: str, *words: str, **environ: str) -> "subprocess.Popen[bytes]":
        path = os.pathsep.join(each for each in sys.path if each)
        log = (self.folder / f"{what}.log").open("ab")
        with log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.dask_{what}", *words],
                env={**os.environ, "PYTHONPATH": path, **environ}, stdout=log, stderr=log,
            )  # fmt: skip

    def stop(self) -> None:
        for process in (*self.workers, self.scheduler):
            if process is not None:
                process.kill()
                process.wait()


def _soon(look: Callable[[], str]) -> str:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        try:
            return look()
        except (OSError, ValueError):
            time.sleep(0.05)
    raise TimeoutError


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    folder = tmp_path / "cluster"
    folder.mkdir()
    made = Cluster(folder)
    yield made
    made.stop()


def test_nobody_at_the_address_of_a_scheduler(project: Path) -> None:
    with pytest.raises(UsageError, match="no address"), executor_at("localhost:8786"):
        pass
    with pytest.raises(ModelConnectionError, match="does not answer"):  # noqa: SIM117
        with executor_at("tcp://127.0.0.1:9", patience=0.5):
            pass


def test_a_dask_cluster_does_the_work(filled: Filled, tmp_path: Path) -> None:
    # Its workers are threads here; processes are for the long run.
    where = {"n_workers": 2, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with (
        distributed.LocalCluster(local_directory=tmp_path, **where) as cluster,
        executor_at(cluster.scheduler_address) as executor,
    ):
        results = ModelFileVerifier().batch_verify_models(_MODELS, executor=executor)
    sources = [each.source for each in results]
    assert sources == ["converted", None, "original"]
    assert results[0].path == filled.of("bert-base-uncased").path


@pytest.mark.slow
def test_a_benchmark_on_a_cluster(filled: Filled, cluster: Cluster, project: Path) -> None:
    cluster.start(workers=2)
    words = ["benchmark", "bert-base-uncased", "org/none", "--runs", "2", "--batch-size", "2",
             "--scheduler", cluster.address, "--json"]  # fmt: skip
    told = CliRunner(env=dict(os.environ)).invoke(potmodels, words)
    assert told.exit_code == 3, told.stderr
    rows = {(each["model_id"], each["backend"]): each for each in json.loads(told.stdout)}
    assert set(rows) == {
        ("org/none", ""), ("bert-base-uncased", "torch"), ("bert-base-uncased", "onnxruntime"),
    }  # fmt: skip
    measured = rows["bert-base-uncased", "onnxruntime"]
    assert measured["status"] == "ok"
    assert measured["path"] == str(filled.of("bert-base-uncased").path)
    assert measured["machine"] == machine.description()
    assert measured["inputs"]["input_ids"] == "2x32"
    assert len(database.read(project / "benchmark_rows.duckdb")) == 3


@pytest.mark.slow
def test_a_batch_on_a_cluster(filled: Filled, cluster: Cluster, project: Path) -> None:
    cluster.start()
    (project / "batch.json").write_text(json.dumps(_MODELS))
    words = ["ensure", "--batch", "--batch-file", "batch.json", "--output", "results.json",
             "--scheduler", cluster.address]  # fmt: skip
    told = CliRunner(env=dict(os.environ)).invoke(potmodels, words)
    assert told.exit_code == 3
    results = json.loads((project / "results.json").read_text())
    assert [each["source"] for each in results] == ["converted", None, "original"]
    refused = CliRunner(env=dict(os.environ)).invoke(potmodels, [*words, "--token", TOKEN])
    assert refused.exit_code == 2
    assert "passed by hand" in refused.stderr
    assert TOKEN not in refused.stderr


@dataclass(frozen=True)
class End:
    """Who ends in the middle of a job, how often Dask tries again, and what is said of it."""

    who: str
    told: str
    kind: str = "ModelConnectionError"
    again: int = 3


@pytest.mark.slow
@pytest.mark.parametrize(
    "end",
    [
        End("worker", "has no worker any more"),
        End("worker", "each worker that began with it died", "ModelVerificationError", again=0),
        End("scheduler", "let go of the job"),
    ],
    ids=range(3),
)
def test_a_cluster_that_ends_in_the_middle_is_told(
    project: Path, hub: StandIn, cluster: Cluster, end: End
) -> None:
    hub.fault(Hang(seconds=60), "/api/models/org/large", times=None)
    cluster.start(DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=str(end.again))

    def kill() -> None:
        _soon(lambda: str(_asked(hub)))
        ending = cluster.workers[0] if end.who == "worker" else cluster.scheduler
        assert ending is not None
        ending.kill()

    threading.Thread(target=kill, daemon=True).start()
    with executor_at(cluster.address, patience=2) as executor:
        (row,) = benchmarked(ModelFileVerifier(), [Wanted("org/large")], How(), executor=executor)
    assert (row.status, row.kind) == ("failed", end.kind), row.error
    assert end.told in row.error
    assert row.machine == {}  # Nobody knows which.


def _asked(hub: StandIn) -> bool:
    if not hub.log.select("/api/models/org/large"):
        raise OSError
    return True


@pytest.mark.slow
def test_a_worker_without_the_package_is_told_and_lives(project: Path, cluster: Cluster) -> None:
    cluster.start()
    with distributed.Client(cluster.address, set_as_default=False) as client:
        client.wait_for_workers(1)
        client.run(exec, "__import__('sys').modules.update(pytest_potmodels=None)")
        with pytest.raises(MissingPackageError, match="has no pytest-potmodels") as caught:  # noqa: SIM117
            with executor_at(cluster.address):
                pass
        assert f"pip install pytest-potmodels=={__version__}" in caught.value.remedy
        assert len(client.nthreads()) == 1


def test_a_job_of_another_version_is_refused_by_the_worker(project: Path) -> None:
    job = replace(ModelFileVerifier().job("verify", {"model_id": "org/large"}), version="9.9")
    with ThreadPoolExecutor(1) as executor:
        ((_, came),) = together.run([job], workers=1, executor=executor)
    assert isinstance(came, ModelVerificationError)
    assert f"the worker has pytest-potmodels {__version__}, and 9.9 asks it" in str(came)
    assert "pip install pytest-potmodels==9.9" in came.remedy
