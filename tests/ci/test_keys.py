"""Keys of cache entries: of what the models are, and of nothing else."""

import hashlib
from dataclasses import replace

from pytest_potmodels.artifacts import ModelRequest
from pytest_potmodels.ci.keys import content_hash, keys_of
from pytest_potmodels.ci.selection import Model, Selected
from pytest_potmodels.digests import digest_of_files
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.lockfile.entries import LockedFile, LockedModel

A, B = "a" * 64, "b" * 64
ENTRY = LockedModel(
    source="huggingface", id="org/one", revision="1" * 40,
    files=(LockedFile("model.bin", 3, A), LockedFile("config.json", 2, B)),
)  # fmt: skip


def model(entry: LockedModel) -> Model:
    return Model(entry.id, entry.request(), entry)


def locked(*entries: LockedModel) -> Selected:
    return Selected(tuple(map(model, entries)), "lock")


def by_name(*names: str, source: str = "huggingface", revision: str | None = None) -> Selected:
    requests = (ModelRequest(ModelId(source, name, revision), name, "language") for name in names)
    return Selected(tuple(Model(each.asked, each) for each in requests), "manifests")


def test_the_hash_is_over_sorted_names_and_digests() -> None:
    other = replace(ENTRY, id="org/another", files=(LockedFile("x", 1, B),))
    files = [digest_of_files({"x": B}), digest_of_files({"model.bin": A, "config.json": B})]
    text = f"huggingface:org/another {files[0]}\nhuggingface:org/one {files[1]}\n"
    expected = hashlib.sha256(text.encode()).hexdigest()[:32]
    assert content_hash(locked(ENTRY, other)) == content_hash(locked(other, ENTRY)) == expected


def test_lines_names_and_sizes_of_the_lock_do_not_count_and_bytes_do() -> None:
    same = replace(ENTRY, names=("mine",), line=40, license="mit")
    assert content_hash(locked(same)) == content_hash(locked(ENTRY))
    changed = replace(ENTRY, files=(LockedFile("model.bin", 3, B), ENTRY.files[1]))
    assert content_hash(locked(changed)) != content_hash(locked(ENTRY))


def test_without_a_lock_ids_and_revisions_count() -> None:
    hashes = {
        content_hash(each)
        for each in (by_name("org/a"), by_name("org/b"), by_name("org/a", revision="v1"))
    }
    assert len(hashes) == 3
    assert content_hash(by_name("org/a", "org/b")) == content_hash(by_name("org/b", "org/a"))


def test_what_stays_with_its_owner_does_not_count() -> None:
    assert content_hash(by_name("own", source="file")) == content_hash(by_name())


def test_a_key_begins_with_what_is_looked_for() -> None:
    job = {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ID": "9", "GITHUB_RUN_ATTEMPT": "3"}
    found = keys_of(locked(ENTRY), "gpu", job)
    content, family = found.restore_keys
    assert (found.key, family) == (f"{content}9-3", "potmodels-v1-gpu-")
    assert content == f"{family}{content_hash(locked(ENTRY))}-"
    # No suffix is not the beginning of one.
    assert not content.startswith(keys_of(locked(ENTRY), "", {}).restore_keys[1])


def test_no_suffix_shares_the_entries_of_another() -> None:
    """Entries are found by how their keys begin."""
    suffixes = ["", "a", "a-b", "a_b", "a.b", "a_.b", "a--b", "a-", "-a", "a__b"]
    keys = {each: keys_of(locked(ENTRY), each, {}) for each in suffixes}
    for mine, found in keys.items():
        for other, theirs in keys.items():
            assert theirs.key.startswith(found.restore_keys[1]) is (mine == other)
