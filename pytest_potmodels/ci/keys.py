"""Keys of cache entries: by what the models are, never by the text that lists them.

`potmodels-v1-<suffix>-<32 hex digits>-<run>-<attempt>`. Entries cannot be changed once they are
saved. So each key is new, and the newest that begins alike is found: a broken entry is replaced by
the next run, and not met for ever. Neither system nor Python version is in it: models are bytes.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from pytest_potmodels.ci.event import runner
from pytest_potmodels.ci.selection import Model, Selected

_FORM = "potmodels-v1"
_HEX = 32


@dataclass(frozen=True)
class Keys:
    """The key to save under, and the beginnings to look for, the best first."""

    key: str
    restore_keys: tuple[str, ...]


def keys_of(selected: Selected, suffix: str, environ: Mapping[str, str]) -> Keys:
    """The keys of a job with these models."""
    family = f"{_FORM}-{_undashed(suffix)}-"
    content = f"{family}{content_hash(selected)}-"
    job = runner(environ)
    run, attempt = job.get("GITHUB_RUN_ID", "0"), job.get("GITHUB_RUN_ATTEMPT", "1")
    return Keys(f"{content}{run}-{attempt}", (content, family))


def content_hash(selected: Selected) -> str:
    """32 hex digits over the models: by their digests as locked, else by id and revision."""
    lines = sorted(_line(model) for model in selected.models if model.is_cached)
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:_HEX]


def _undashed(suffix: str) -> str:
    """The suffix without the character that ends it: `a-` must not be how `a-b-` begins."""
    return suffix.replace("_", "__").replace("-", "_.")


def _line(model: Model) -> str:
    if model.entry is not None:
        return f"{model.entry} {model.digest}\n"
    request = model.request
    return f"{request.id} {request.weights or ''} {request.sha256 or ''}\n"
