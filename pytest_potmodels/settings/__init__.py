"""The table of options, as people type them. Imported at every pytest start: keep it bare."""

from collections.abc import Mapping

#: The default cache folder.
DEFAULT_CACHE = "~/.cache/pot_experiments"
PRESETS = ("minimal", "test", "paper")
#: Variables of others that change our settings.
OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
ENDPOINT_VARIABLE = "HF_ENDPOINT"


class Option:
    """One setting as people type it; `choices` lists its words, the default first."""

    __slots__ = ("choices", "help", "key", "metavar")

    def __init__(self, key: str, help: str, *choices: str, metavar: str | None = None) -> None:  # noqa: A002
        self.key, self.help, self.choices, self.metavar = key, help, choices, metavar

    @property
    def flag(self) -> str:
        """The option of pytest's command line."""
        return "--pot-" + self.key.replace("_", "-")

    @property
    def env(self) -> str:
        """The environment variable."""
        return "POT_MIRRORS" if self.key == "mirror" else "POT_" + self.key.upper()


OPTIONS = (
    Option("preset", "models behind vision_model and language_model", *PRESETS),
    Option("cache_dir", f"model cache (default {DEFAULT_CACHE})", metavar="DIR"),
    Option("mock", "where a stand-in may be used", "missing", "never", "always"),
    Option("missing", "a required model that is missing (default: fail in CI, else skip)",
           "skip", "fail"),
    Option("network", "whether models may be downloaded", "allow", "block"),
    Option("timeout", "seconds for one model in all (600)", metavar="SECONDS"),
    Option("retries", "failures in a row before giving up (5)", metavar="N"),
    Option("jobs", "parallel downloads (4)", metavar="N"),
    Option("max_size", "largest model to download (5GB)", metavar="SIZE"),
    Option("device", "where models are loaded; auto spreads workers over the GPUs",
           "cpu", "cuda", "auto"),
    Option("mirror", "fetch URLs that begin with OLD from NEW; repeatable", metavar="OLD=NEW"),
    Option("config", "configuration file instead of pyproject.toml", metavar="FILE"),
)  # fmt: skip


def any_variable(environ: Mapping[str, str]) -> bool:
    """Whether some variable changes a setting; if none does, none need be worked out early."""
    names = (*OFFLINE_VARIABLES, ENDPOINT_VARIABLE)
    return any(name.startswith("POT_") or name in names for name in environ)
