"""ExperimentConfig: a plan as a person writes it down, in Python or in a file."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from pytest_potmodels.experiments import config_file
from pytest_potmodels.experiments.checks import check
from pytest_potmodels.experiments.plain_values import as_plain


@dataclass(slots=True)
class ExperimentConfig:
    """One experiment; may be changed between runs, and is checked at each.

    Attributes:
        experiment_name: the folder of its results.
        model_type: "vision" or "language".
        model_architecture: a word of the mapping ("mock", "minimal", "bert", ...), a preset, or
            any other model name.
        seed: of Python's, numpy's and torch's generators, and of what a model's files do not fix.
        repeats: how often the function runs, each with a seed of its own; see `derived_seed`.
        device: "cpu", "cuda" or "cuda:1".
        threads: of torch on the CPU; None: as many as it takes here. Part of the plan either way,
            because sums depend on how they are divided.
        deterministic: "require" makes torch refuse an operation whose numbers vary from run to
            run; "warn" lets it warn; "off" leaves torch as it is.
        fallback_to_mock: where the model cannot be had, take its mock, and say so.
        expected_checksum: the `checksum` that the real model must have.
        memory_limit_mb: MiB of parameters and buffers beyond which a model is not taken.
        output_dir: where the folder of results is; a relative one in a file starts at the file.
        description: a sentence for readers.
        tags: words for readers.
        parameters: whatever the function needs, in JSON's types.
    """

    experiment_name: str
    model_type: str = "vision"
    model_architecture: str = "minimal"
    seed: int = 42
    repeats: int = 1
    device: str = "cpu"
    threads: int | None = None
    deterministic: str = "require"
    fallback_to_mock: bool = True
    expected_checksum: str | None = None
    memory_limit_mb: float | None = None
    output_dir: str | Path = "experiments"
    description: str = ""
    tags: list[str] = field(default_factory=list)
    parameters: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.check()

    @classmethod
    def from_file(cls, path: str | Path) -> "ExperimentConfig":
        """Read a TOML, YAML or JSON file, as its suffix says.

        Raises:
            UsageError: no such file, not valid, or a key or value that cannot be meant; with
                file and line.
        """
        return cls(**config_file.read(Path(path)))

    @classmethod
    def from_toml(cls, path: str | Path) -> "ExperimentConfig":
        """Read a TOML file, whatever its suffix; raises like `from_file`."""
        return cls(**config_file.read(Path(path), "toml"))

    @classmethod
    def from_yaml(cls, path: str | Path) -> "ExperimentConfig":
        """Read a YAML file, whatever its suffix; raises like `from_file`."""
        return cls(**config_file.read(Path(path), "yaml"))

    @classmethod
    def from_json(cls, path: str | Path) -> "ExperimentConfig":
        """Read a JSON file, whatever its suffix; raises like `from_file`."""
        return cls(**config_file.read(Path(path), "json"))

    def check(self) -> None:
        """Accept the values as they are now.

        Raises:
            UsageError: one cannot be meant; with close matches where there are words for it.
        """
        check(self._values(), lambda key: f"ExperimentConfig.{key}")

    def as_json(self) -> dict[str, Any]:
        """The values as they are now, in JSON's types."""
        values = {**self._values(), "output_dir": Path(self.output_dir).as_posix()}
        return {key: as_plain(value, key) for key, value in values.items()}

    def _values(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in fields(self)}
