"""Where the user's configuration lies. Runs at every pytest start: no parser is imported here."""

from pathlib import Path

OWN_FILE = "potmodels.toml"
_SHARED_FILE = "pyproject.toml"


def find_config(start: Path) -> Path | None:
    """The nearest file that configures us, at or above a folder, up to its repository's root.

    potmodels.toml wins over pyproject.toml beside it. A pyproject.toml counts if it names us
    at all; whether it has a table of ours, its reader knows.
    """
    for folder in (start, *start.parents):
        own, shared = folder / OWN_FILE, folder / _SHARED_FILE
        if own.is_file():
            return own
        # tomllib costs more start-up than the whole plugin; most pyproject files do not name us.
        if shared.is_file() and b"potmodels" in shared.read_bytes():
            return shared
        if (folder / ".git").exists():
            return None
    return None
