"""Which entry of the cache does a name mean?"""

from contextlib import suppress
from dataclasses import replace

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.errors import (
    Reason,
    UnavailableError,
    UsageError,
    close_matches,
)
from pytest_potmodels.identifiers import SOURCE_ALIASES, SOURCES, ModelId, checked
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.layout import entry_name, source_in

#: Digits of a commit from which it is taken for one; listings show eight.
_SHORT_COMMIT = 7


class Lookup:
    """Names as people type them against the entries that are there."""

    def __init__(self, store: ModelStore, catalog: Catalog) -> None:
        self._store = store
        self._catalog = catalog

    def stored(self, name: str) -> StoredModel:
        """The entry that a name means: a folder in the cache, a stored id or alias, a known name.

        Raises:
            UnavailableError: NOT_CACHED; with close matches, or the revisions that are there.
            UsageError: a name that nothing explains.
            DigestMismatchError: the entry is there and its manifest is damaged.
        """
        entries = self._store.entries()
        for entry in entries:
            if not entry.in_place and entry.path.name == name:
                return entry
        try:
            model_id = self._catalog.request(name).id
        except UsageError:
            # It may be stored under an entry of a configuration that is not in force here.
            if (written := _as_written(name, entries)) is None:
                raise
            return written
        found = self._store.find(model_id) or _by_short_commit(model_id, entries)
        if found is None:
            raise self._not_cached(model_id, entries)
        return found

    def damaged_folder(self, name: str) -> str | None:
        """The folder without a readable manifest that a name means."""
        damaged = self._store.damaged_entries()
        if name in damaged:
            return name
        with suppress(UsageError):
            folder = entry_name(self._catalog.request(name).id)
            return folder if folder in damaged else None
        return None

    def _not_cached(self, model_id: ModelId, entries: list[StoredModel]) -> UnavailableError:
        there = [each for each in entries if _named(each, model_id)]
        others = [f"{each.id}@{each.revision}" for each in there]
        meant = others or close_matches(str(model_id), {str(each.id) for each in entries})
        also = f" There is {', '.join(meant)}." if meant else ""
        return UnavailableError(
            f"{model_id} is not in the cache {self._store.layout.root}.{also}",
            reason=Reason.NOT_CACHED,
            remedy=f"`potmodels list` shows what is; to fetch it: potmodels download {model_id}",
        )


def expanded(words: tuple[str, ...]) -> list[str]:
    """The names on a command line; `torchvision resnet18` is `torchvision:resnet18`."""
    source = words[0].lower() if words else ""
    if len(words) > 1 and source in (*SOURCES, *SOURCE_ALIASES):
        return [f"{source}:{name}" for name in words[1:]]
    return list(words)


def id_of_folder(folder: str) -> ModelId | None:
    """The model that an entry's folder is named after, where the name still tells.

    A second revision, a name that was made safe for file systems and one file of a repository do
    not tell.
    """
    source = source_in(folder)
    if source in ("", "file", "url") or folder.endswith(".onnx"):
        return None
    with suppress(UsageError):
        name = folder.removeprefix(f"{source}_").replace("--", "/")
        model_id = checked(ModelId(source, name))
        return model_id if entry_name(model_id) == folder else None
    return None


def _as_written(name: str, entries: list[StoredModel]) -> StoredModel | None:
    written = (each for each in entries if name in {each.id.name, str(each.id), *each.aliases})
    return next(written, None)


def _by_short_commit(model_id: ModelId, entries: list[StoredModel]) -> StoredModel | None:
    short = model_id.revision or ""
    if len(short) < _SHORT_COMMIT:
        return None
    found = [
        entry
        for entry in entries
        if _named(entry, model_id) and (entry.revision or "").startswith(short)
    ]
    return found[0] if len(found) == 1 else None


def _named(entry: StoredModel, model_id: ModelId) -> bool:
    plain = replace(model_id, revision=None)
    return entry.id.source == plain.source and plain.name in {entry.id.name, *entry.aliases}
