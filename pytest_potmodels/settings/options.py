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
    def is_switch(self) -> bool:
        """Whether it is on or off, and its option takes no value."""
        return not self.metavar

    @property
    def flag(self) -> str:
        """The option of pytest's command line."""
        return flag(self.key)

    @property
    def env(self) -> str:
        """The environment variable."""
        return variable(self.key)


def _words(joined: str) -> tuple[str, ...]:
    return () if joined == "-" else tuple(joined.split(","))


OPTIONS = tuple(
    Option(key, text, _words(words), "" if metavar == "-" else metavar)
    for key, metavar, words, text in TABLE
)

#: Settings of a machine rather than of a run: a variable and a key, but no option.
VARIABLES = (
    Option("derived_dir", "where derived files go if the cache is read-only", (), "DIR"),
    Option("gc", "the garbage collector while tests are collected and frameworks imported: "
           "paused, then what is there frozen; or as Python has it", ("freeze", "keep"), "WORD"),
    Option("memory", "models that one process keeps ready, in bytes of weights", (), "SIZE"),
    Option("trust", "a repository whose code may run: pytorch_hub:OWNER/REPOSITORY; repeatable",
           (), "REPOSITORY"),
    Option("remote", "where models are looked for before the hub, and pushed to: "
           "s3://BUCKET/PREFIX, a folder, or none", (), "URL"),
    Option("cleanup_threshold", "GB of cache from which on what was used least recently goes",
           (), "GB"),
    Option("cleanup_min_age_days", "what was used in these days does not go (14)", (), "DAYS"),
)  # fmt: skip

ALL = (*OPTIONS, *VARIABLES)
