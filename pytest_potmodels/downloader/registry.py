"""`model_registry.json`: a list of what is stored, for people and for other programs.

An export: the manifests are the truth, and nothing here ever reads it.
"""

import contextlib
import json
import logging
from pathlib import Path

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.errors import StoreError
from pytest_potmodels.settings.values import Settings
from pytest_potmodels.store import disk, manifest
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.layout import unwritable
from pytest_potmodels.store.locks import held

_log = logging.getLogger(__name__)

#: Seconds for which a process waits for another one that writes the same list.
_WRITING = 10.0


def registry_of(settings: Settings, store: ModelStore) -> Path | None:
    """Where the list is kept; None where the settings name no file."""
    name = settings.registry_file
    return store.layout.models / name if name is not None else None


def refresh(settings: Settings, store: ModelStore) -> None:
    """Have the list say what is stored now, where the settings name one.

    It is a by-product: a list that cannot be written is a warning, no error.
    """
    target = registry_of(settings, store)
    if target is None or not store.layout.models.is_dir():
        return
    try:
        write(target, store)
    except StoreError as error:
        _log.warning("%s does not say what is stored now: %s", target, error.message)


def write(target: Path, store: ModelStore) -> None:
    """Write the list, whole or not at all; a file that says the same is left alone.

    Raises:
        StoreError: the file cannot be written.
    """
    if _says(target, _text(store.entries())):
        return  # A cache that is read-only takes no lock.
    # Without the lock the slower of two processes would write down what it saw before the other
    # one brought a model.
    with held(store.layout.lock("registry"), timeout=_WRITING):
        text = _text(store.entries())
        try:
            if not _says(target, text):
                disk.write_whole(target, text)
        except OSError as error:
            raise unwritable(target.parent, error) from error


def _says(target: Path, text: str) -> bool:
    with contextlib.suppress(OSError):
        return target.read_bytes() == text.encode()
    return False


def _text(entries: list[StoredModel]) -> str:
    ours = sorted((each for each in entries if not each.in_place), key=lambda each: each.path.name)
    models = {each.path.name: manifest.as_json(each) for each in ours}
    content = {"schema": manifest.SCHEMA, "models": models}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
