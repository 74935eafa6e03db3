"""ReproducibleExperimentRunner: the model, the seeds, the function, the record."""

import time
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from pytest_potmodels.artifacts import LoadedModel, state_checksum
from pytest_potmodels.errors import UsageError
from pytest_potmodels.experiments import models
from pytest_potmodels.experiments.code_of import code_of, file_of
from pytest_potmodels.experiments.configuration import ExperimentConfig
from pytest_potmodels.experiments.context import ExperimentContext
from pytest_potmodels.experiments.determinism import derived_seed, reproducible
from pytest_potmodels.experiments.environment import captured
from pytest_potmodels.experiments.plain_values import as_plain
from pytest_potmodels.experiments.recording import Recording
from pytest_potmodels.experiments.results import ExperimentResult, Repeat
from pytest_potmodels.experiments.user_file import FileExperiment
from pytest_potmodels.model_setup import MinimalModelSetup
from pytest_potmodels.settings.values import Settings

Experiment = Callable[[ExperimentContext], Mapping[str, Any]]


class ReproducibleExperimentRunner:
    """Runs a function under a plan, so that the same plan gives the same bits.

    Attributes:
        config: the plan; may be changed between runs.
        setup: where models come from.
        models: by kind, as `setup_models` gave them, or as the last run left them.
        result: of the last run, also where it failed; None before.
    """

    def __init__(self, config: ExperimentConfig, settings: Settings | None = None) -> None:
        """Check the plan; nothing is read or fetched yet.

        Args:
            config: the plan.
            settings: all options, instead of what environment and configuration say.

        Raises:
            UsageError: a value, option, variable or configuration file that cannot be meant.
        """
        config.check()
        self.config = config
        self.setup = MinimalModelSetup(settings=settings)
        self.models: dict[str, LoadedModel] = {}
        self.result: ExperimentResult | None = None

    def setup_models(self) -> dict[str, LoadedModel]:
        """Have the plan's model here: from the cache, else fetched; by kind.

        A run takes a pristine one of its own, so what is done to these changes no result.

        Raises:
            UnavailableError: it cannot be had, and a mock may not stand in.
            DigestMismatchError: wrong bytes, or another checksum than the expected one.
            UsageError: a model, type or device that does not exist.
        """
        self.config.check()
        self.models = {}
        loaded, pin = models.load(self.setup, self.config, seed=self.config.seed)
        self.models = {pin.kind: loaded}
        return self.models

    def run(self, experiment: Experiment) -> ExperimentResult:
        """Call a function under the plan, once per repeat, and write down what came of it.

        The function gets an ExperimentContext and returns metrics: a dict, which may be nested,
        of numbers, strings, tensors or arrays.

        Raises:
            Exception: whatever the function raises, after it was recorded; `result` has it.
            UnavailableError, DigestMismatchError, UsageError: as `setup_models`.
            StoreError: the result cannot be written.
        """
        self.config.check()
        if isinstance(experiment, FileExperiment):
            code, file = experiment.code, str(experiment.file)
        else:
            code, file = code_of(experiment), file_of(experiment)
        run = _Run(self, experiment, Recording(self.config, code))
        try:
            run.all_repeats()
        except BaseException as error:
            run.recording.fail(error, during=run.during, file=file)
            error.add_note(f"recorded in {run.recording.result.path}")
            raise
        finally:
            self.result = run.recording.result
        run.recording.finish()
        self.result = run.recording.result
        return self.result


class _Run:
    """One run: knows what it is doing when an error comes."""

    def __init__(
        self, runner: ReproducibleExperimentRunner, experiment: Experiment, recording: Recording
    ) -> None:
        self.during = "setup"
        self.recording = recording
        self._runner, self._experiment = runner, experiment
        self._config = deepcopy(runner.config)

    def all_repeats(self) -> None:
        for index in range(self._config.repeats):
            self._repeat(index, derived_seed(self._config.seed, index))

    def _repeat(self, index: int, seed: int) -> None:
        config = self._config
        self.during = "setup"
        began = time.perf_counter()
        self._runner.models = {}  # Else the last repeat's stays in memory beside the new one.
        loaded, pin = models.load(self._runner.setup, config, seed=seed)
        self._runner.models = {pin.kind: loaded}
        before = loaded.checksum
        self.recording.took(time.perf_counter() - began)
        with reproducible(seed, threads=config.threads, deterministic=config.deterministic):
            if index == 0:
                self.recording.models([pin], captured(device=pin.device))
            folder = self.recording.folder.absolute()  # The function may go elsewhere.
            context = ExperimentContext(
                config=deepcopy(config),
                models=dict(self._runner.models),
                seed=seed,
                repeat=index,
                folder=folder if config.repeats == 1 else folder / str(index),
            )
            self.during = "function"
            began = time.perf_counter()
            metrics = _metrics(self._experiment(context))
            seconds = time.perf_counter() - began
        after = state_checksum(loaded.model.state_dict())
        self.recording.repeated(Repeat(index, seed, metrics, round(seconds, 6), before, after))


def _metrics(returned: Any) -> dict[str, Any]:
    if not isinstance(returned, Mapping):
        raise UsageError(
            f"The experiment returned {returned!r:.80} ({type(returned).__name__}), expected a "
            "dict of metrics.",
            remedy='for example: return {"loss": loss}',
        )
    plain: dict[str, Any] = as_plain(returned)
    return plain
