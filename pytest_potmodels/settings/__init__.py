"""The table of options, as people type them. Imported at every pytest start: keep it bare.

PYTEST_DONT_REWRITE
"""

import os
from collections.abc import Mapping
from pathlib import Path

#: The default cache folder.
DEFAULT_CACHE = "~/.cache/pot_experiments"
#: The configuration file that is ours alone.
OWN_FILE = "potmodels.toml"
#: What pins models, beside that file or in pytest's root folder.
LOCK_FILE = "potmodels.lock"
PRESETS = ("minimal", "test", "paper")
#: Variables of others that change our settings.
OFFLINE_VARIABLES = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
ENDPOINT_VARIABLE = "HF_ENDPOINT"
#: Our own, by names that were there before our prefix.
CLEANUP_VARIABLES = ("CACHE_CLEANUP_THRESHOLD", "CACHE_CLEANUP_MIN_AGE_DAYS")
_OF_OTHERS = (*OFFLINE_VARIABLES, ENDPOINT_VARIABLE, *CLEANUP_VARIABLES)


#: Key, what stands for its value in the help, its words (the default first), and what it is.
#: A switch has no value. One string, because pytest's loader pays for each object of a module.
_ROWS = """\
preset          WORD     minimal,test,paper    models behind vision_model and language_model
cache_dir       DIR      -                     model cache (default ~/.cache/pot_experiments)
mock            WORD     missing,never,always  where a stand-in may be used
missing         WORD     skip,fail             a required model that is missing (default: fail in CI, else skip)
network         WORD     allow,warm,block      whether models may be downloaded; warm: before the first test only
timeout         SECONDS  -                     seconds for one model in all (600)
retries         N        -                     failures in a row before giving up (5)
jobs            N        -                     parallel downloads (4)
max_size        SIZE     -                     largest model to download (5GB)
device          DEVICE   cpu,cuda,auto         where models are loaded: cpu, cuda, cuda:N, or auto (workers go round GPUs)
mirror          OLD=NEW  -                     fetch URLs that begin with OLD from NEW; repeatable
affinity        -        -                     run tests of one model after each other
check_mutations -        -                     name the tests that change their model
lock            FILE     -                     lock file instead of potmodels.lock; none: without one
locked          -        -                     use nothing beyond the lock file
report          FILE     -                     write which tests ran on what to FILE.json
config          FILE     -                     configuration file instead of pyproject.toml
"""  # noqa: E501
#: The rows with "-" for what is not there; `options.OPTIONS` has them with names.
TABLE = [row.split(None, 3) for row in _ROWS.splitlines()]


def flag(key: str) -> str:
    """The option of pytest's command line."""
    return "--pot-" + key.replace("_", "-")


def variable(key: str) -> str:
    """The environment variable."""
    if key[:8] == "cleanup_":
        return "CACHE_" + key.upper()
    return "POT_MIRRORS" if key == "mirror" else "POT_" + key.upper()


def any_variable(environ: Mapping[str, str]) -> bool:
    """Whether some variable changes a setting; if none does, none need be worked out early."""
    return any(name[:4] == "POT_" or name in _OF_OTHERS for name in environ)


def find_config(start: Path) -> Path | None:
    """The nearest file that may configure us, at or above a folder, up to its repository's root.

    potmodels.toml wins over pyproject.toml beside it. A pyproject.toml counts if it names us
    at all: tomllib costs more start-up than the whole plugin, and most files do not name us.
    """
    # Strings and os.access, because paths and a failed stat cost ten times as much, and this
    # runs at every start.
    folder, below, exists = str(start), "", os.F_OK
    while folder != below:
        own, shared = f"{folder}{os.sep}{OWN_FILE}", f"{folder}{os.sep}pyproject.toml"
        if os.access(own, exists) and Path(own).is_file():
            return Path(own)
        if os.access(shared, exists) and Path(shared).is_file() and _names_us(shared):
            return Path(shared)
        if os.access(f"{folder}{os.sep}.git", exists):
            return None
        folder, below = os.path.dirname(folder), folder  # noqa: PTH120
    return None


def _names_us(path: str) -> bool:
    return b"potmodels" in Path(path).read_bytes()
