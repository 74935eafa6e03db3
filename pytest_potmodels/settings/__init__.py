"""The table of options, as people type them. Imported at every pytest start: keep it bare."""

import os
from collections.abc import Mapping
from pathlib import Path

#: The default cache folder.
DEFAULT_CACHE = "~/.cache/pot_experiments"
#: The configuration file that is ours alone.
OWN_FILE = "potmodels.toml"
PRESETS = ("minimal", "test", "paper")
#: Variables of others that change our settings.
OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
ENDPOINT_VARIABLE = "HF_ENDPOINT"


class Option:
    """One setting as people type it; `choices` lists its words, the default first."""

    __slots__ = ("choices", "env", "flag", "help", "key", "metavar")

    def __init__(self, key: str, help: str, *choices: str, metavar: str | None = None) -> None:  # noqa: A002
        self.key = key
        self.help = help
        self.choices = choices
        self.metavar = metavar
        #: The option of pytest's command line, and the environment variable.
        self.flag = "--pot-" + key.replace("_", "-")
        self.env = "POT_" + ("MIRRORS" if key == "mirror" else key.upper())


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


def find_config(start: Path) -> Path | None:
    """The nearest file that may configure us, at or above a folder, up to its repository's root.

    potmodels.toml wins over pyproject.toml beside it. A pyproject.toml counts if it names us
    at all: tomllib costs more start-up than the whole plugin, and most files do not name us.
    """
    # Strings, because paths cost ten times as much, and this runs at every start.
    folder, below = str(start), ""
    while folder != below:
        own, shared = f"{folder}{os.sep}{OWN_FILE}", f"{folder}{os.sep}pyproject.toml"
        if os.path.isfile(own):  # noqa: PTH113
            return Path(own)
        if os.path.isfile(shared) and b"potmodels" in Path(shared).read_bytes():  # noqa: PTH113
            return Path(shared)
        if os.path.exists(f"{folder}{os.sep}.git"):  # noqa: PTH110
            return None
        folder, below = os.path.dirname(folder), folder  # noqa: PTH120
    return None
