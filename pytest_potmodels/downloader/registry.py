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
_KEYS = {"schema", "models"}


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
        StoreError: the file cannot be written, or is no such list.
    """
    if _says(target, _text(store.entries())):
        return  # A cache that is read-only takes no lock.
    if _is_somebody_elses(target):
        # Another program's list of the same name, or another file that was named by mistake.
        raise StoreError(
            f"{target} is no list of this cache and is left alone: move it away, or name another "
            "file as registry_file."
        )
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


def _is_somebody_elses(target: Path) -> bool:
    try:
        found = json.loads(target.read_bytes())
    except OSError:
        return False  # There is none, or the write says what is wrong.
    except (ValueError, RecursionError):
        return target.suffix != ".json" and target.stat().st_size > 0
    return bool(found) and not (isinstance(found, dict) and found.keys() == _KEYS)


def _text(entries: list[StoredModel]) -> str:
    ours = sorted((each for each in entries if not each.in_place), key=lambda each: each.path.name)
    models = {each.path.name: manifest.as_json(each) for each in ours}
    content: dict[str, object] = {"schema": manifest.SCHEMA, "models": models}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
