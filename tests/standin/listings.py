"""The JSON documents of the hub's API, as huggingface_hub reads them."""

import json
from pathlib import PurePosixPath
from typing import Any

from standin.content import Blob, Commit, Repo

Document = dict[str, Any]


def model_info(repo: Repo, commit: Commit, *, blobs: bool) -> Document:
    """/api/models/ID[/revision/REV][?blobs=true]."""
    card = {"license": repo.license} if repo.license else {}
    return {
        "_id": commit.sha[:24],
        "id": repo.id,
        "modelId": repo.id,
        "author": repo.id.partition("/")[0],
        "sha": commit.sha,
        "lastModified": "2024-02-19T11:06:12.000Z",
        "createdAt": "2022-03-02T23:29:04.000Z",
        "private": repo.private,
        "gated": "manual" if repo.gated else False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": ["transformers", *(f"license:{value}" for value in card.values()), "region:us"],
        "library_name": "transformers",
        "cardData": card,
        "config": _config(commit),
        "siblings": [_sibling(path, blob, blobs=blobs) for path, blob in commit.files.items()],
        "usedStorage": sum(len(blob.data) for blob in commit.files.values()),
    }


def _config(commit: Commit) -> Document:
    blob = commit.files.get("config.json")
    try:
        whole = json.loads(blob.data) if blob else {}
    except ValueError:  # a test's config.json may be any bytes
        whole = {}
    return {key: whole[key] for key in ("architectures", "model_type") if key in whole}


def _sibling(path: str, blob: Blob, *, blobs: bool) -> Document:
    if not blobs:
        return {"rfilename": path}
    entry = {"rfilename": path, "size": len(blob.data), "blobId": blob.git_sha1}
    if not blob.is_lfs:
        return entry
    return {**entry, "lfs": {"sha256": blob.sha256, **_lfs_sizes(blob)}}


def tree(commit: Commit, folder: str) -> list[Document]:
    """/api/models/ID/tree/REV[/FOLDER]?recursive=True: folders and files below a folder."""
    inside = {
        path: blob
        for path, blob in commit.files.items()
        if not folder or path.startswith(f"{folder}/")
    }
    parents = {parent.as_posix() for path in inside for parent in PurePosixPath(path).parents}
    folders = sorted(parents - {".", folder} - set(PurePosixPath(folder).parts))
    return [
        *({"type": "directory", "oid": commit.sha, "size": 0, "path": path} for path in folders),
        *(_tree_file(path, blob) for path, blob in inside.items()),
    ]


def _tree_file(path: str, blob: Blob) -> Document:
    entry = {"type": "file", "oid": blob.git_sha1, "size": len(blob.data), "path": path}
    if not blob.is_lfs:
        return entry
    return {**entry, "lfs": {"oid": blob.sha256, **_lfs_sizes(blob)}}


def _lfs_sizes(blob: Blob) -> Document:
    return {"size": len(blob.data), "pointerSize": len(blob.pointer)}
