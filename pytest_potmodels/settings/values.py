"""What all options come to: one frozen value."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pytest_potmodels.config_files.table import ConfigFile
from pytest_potmodels.errors import UsageError
from pytest_potmodels.settings import DEFAULT_CACHE

DEFAULT_HUB = "https://huggingface.co"


@dataclass(frozen=True)
class Settings:
    """What all options come to. `origins` says where each value that is not the default is from."""

    preset: str = "minimal"
    cache_dir: Path = Path(DEFAULT_CACHE)
    mock: Literal["missing", "never", "always"] = "missing"
    missing: Literal["skip", "fail"] = "skip"
    network: Literal["allow", "warm", "block"] = "allow"
    timeout: float = 600.0
    retries: int = 5
    jobs: int = 4
    max_size: int = 5 * 1000**3
    device: str = "cpu"
    mirror: tuple[tuple[str, str], ...] = ()
    affinity: bool = False
    check_mutations: bool = False
    #: Where derived files go if the cache cannot be written; None: a folder of the user's caches.
    derived_dir: Path | None = None
    gc: Literal["freeze", "keep"] = "freeze"
    #: Bytes of weights that one process keeps ready; None: half the machine's, shared by workers.
    memory: int | None = None
    hub_endpoint: str = DEFAULT_HUB
    #: The variable by which a CI service was recognised; "" on a desk.
    ci: str = ""
    #: What closed the network, in the user's own words; "" while it is open.
    closed_by: str = ""
    #: The folder that relative `file:` names start from.
    root: Path = Path()
    config: ConfigFile | None = None
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def own_tables(self) -> dict[str, Mapping[str, Any]]:
        """The user's own `models` and `presets`.

        Raises:
            UsageError: one of them is no table.
        """
        return {key: self._table(key) for key in ("models", "presets")}

    def _table(self, key: str) -> Mapping[str, Any]:
        found = self.config.table.get(key, {}) if self.config else {}
        if not isinstance(found, Mapping):
            raise UsageError(f"{self.where(key)}: {key!r} is no table.")
        return found

    def where(self, *keys: str) -> str:
        """`file:line` of a key of the user's configuration."""
        return self.config.where(*keys) if self.config else "configuration"

    def non_defaults(self) -> list[str]:
        """Each value that is not the default, as `key=value (where from)`."""
        said = [f"{key}={_shown(getattr(self, key))} ({at})" for key, at in self.origins.items()]
        return [*said, f"CI detected ({self.ci})"] if self.ci else said

    @property
    def models_folder(self) -> Path | None:
        """The folder that holds the entries themselves, where seed-style YAML named one."""
        if "cache_dir" in self.origins:  # The command line and the environment go before a file.
            return None
        found = self.config.table.get("models_folder") if self.config else None
        return Path(found) if found else None

    @property
    def disabled_sources(self) -> Mapping[str, str]:
        """Sources that are switched off, each with the place that says so."""
        return self.config.table.get("disabled_sources", {}) if self.config else {}


def _shown(value: Any) -> str:
    text = (
        " ".join(f"{old}={new}" for old, new in value) if isinstance(value, tuple) else str(value)
    )
    # A mirror's address may hold a password.
    return re.sub(r"(https?://)[^/\s]*@", r"\1", text)
