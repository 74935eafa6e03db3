"""The table of options with names for its columns."""

from dataclasses import dataclass

from pytest_potmodels.settings import TABLE, flag, variable


@dataclass(frozen=True)
class Option:
    """One setting as people type it; `choices` lists its words, the default first."""

    key: str
    help: str
    choices: tuple[str, ...]
    metavar: str

    @property
    def flag(self) -> str:
        """The option of pytest's command line."""
        return flag(self.key)

    @property
    def env(self) -> str:
        """The environment variable."""
        return variable(self.key)


OPTIONS = tuple(Option(*row) for row in TABLE)
