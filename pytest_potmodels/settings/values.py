"""What all options come to: one frozen value."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pytest_potmodels.config_files.table import ConfigFile
from pytest_potmodels.errors import UsageError
from pytest_potmodels.settings import DEFAULT_CACHE

DEFAULT_HUB = "https://huggingface.co"
#: Settings that only seed-style YAML has.
YAML_ONLY = ("verify_ssl", "url_timeout", "registry_file")


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
    #: Repositories whose code may run.
    trust: tuple[str, ...] = ()
    #: A URL of fsspec's or a path; asked before the hub. None: there is no remote.
    remote: str | None = None
    #: GB of cache beyond which what was used least recently goes; None: nothing goes by itself.
    cleanup_threshold: float | None = None
    #: Days in which what was used does not go.
    cleanup_min_age_days: float = 14.0
    hub_endpoint: str = DEFAULT_HUB
    #: The variable by which a CI service was recognised; "" on a desk.
    ci: str = ""
    #: What closed the network, in the user's own words; "" while it is open.
    closed_by: str = ""
    #: The lock file in force: the one that was named, or found; None: none.
    lock: Path | None = None
    #: Whether nothing beyond the lock is used.
    locked: bool = False
    #: Where the report of a test session is written; None: nowhere.
    report: Path | None = None
    #: Whether the certificates of `url:` models are checked; False only by seed-style YAML.
    verify_ssl: bool = True
    #: Seconds for one `url:` model in all, in place of `timeout`; only by seed-style YAML.
    url_timeout: float | None = None
    #: Where the list of stored models is written after a download, as seen from the models
    #: folder; None: nowhere.
    registry_file: Path | None = None
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
    def auto_download(self) -> bool:
        """Whether what is asked for may be fetched unasked; False only by seed-style YAML."""
        said = self.config.table.get("closed_by", "") if self.config else ""
        return not said or said != self.closed_by

    def to_download(self, name: str) -> str:
        """The command that fetches a model, for who must not do it unasked."""
        if self.config is None or self.auto_download:
            return f"once, with the network open: potmodels download {name}"
        return f"potmodels download {name} --config {self.config.path}"

    def by_hand(self) -> "Settings":
        """The settings for who says "download": `auto_download: false` is not meant for that.

        What else closes the network keeps it closed.
        """
        if self.auto_download:
            return self
        origins = {key: origin for key, origin in self.origins.items() if key != "network"}
        return replace(self, network="allow", closed_by="", origins=origins)

    def timeout_of(self, source: str) -> float:
        """Seconds for one model of a source in all."""
        own = self.url_timeout if source == "url" else None
        return own or self.timeout

    def with_time_for(self, models: int) -> "Settings":
        """The settings for each of several models that move at once."""
        by_url = self.url_timeout * models if self.url_timeout else None
        return replace(self, timeout=self.timeout * models, url_timeout=by_url)

    @property
    def disabled_sources(self) -> Mapping[str, str]:
        """Sources that are switched off, each with the place that says so."""
        return self.config.table.get("disabled_sources", {}) if self.config else {}


def _shown(value: Any) -> str:
    text = "none" if value is None else str(value)
    if isinstance(value, tuple):
        text = " ".join(each if isinstance(each, str) else "=".join(each) for each in value)
    # The address of a mirror or a remote may hold a password.
    return re.sub(r"(\w://)[^/\s]*@", r"\1", text)
