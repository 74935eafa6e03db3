"""torch.hub's doors while an entry point runs: its folder, its downloads, its unpickling.

Everything is put back afterwards. Other threads go through the doors as they were.
"""

import contextlib
import os
import pickle
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import torch.hub

#: Asked for a file: its URL, its place as seen from the folder, the beginning of its sha256.
Fetch = Callable[[str, str, str], None]

_FORCE, _CONTRARY = "TORCH_FORCE_WEIGHTS_ONLY_LOAD", "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"
_CHECKPOINTS = "checkpoints"


class RefusedError(Exception):
    """What an entry point may not do, in words."""


class UnpicklingRefusedError(RefusedError):
    """It would have unpickled what may be anything."""


@contextlib.contextmanager
def routed(folder: Path, fetch: Fetch) -> Iterator[None]:
    """Have torch.hub look for files in `folder` alone, and ask `fetch` for what is not there.

    `folder` is the real place, without links on the way.
    """
    with (
        _environment({"TORCH_HOME": str(folder), _FORCE: "1", _CONTRARY: None}),
        _replaced(torch.hub, _hub_dir=str(folder)),
        _replaced(torch.hub, **_torch_hub(folder, fetch)),
        _replaced(pickle, load=refuse_pickle, loads=refuse_pickle),
    ):
        yield


@contextlib.contextmanager
def cut_off() -> Iterator[None]:
    """Let this thread connect to no host."""
    with (
        _replaced(socket, getaddrinfo=refuse_host),
        _replaced(socket.socket, connect=_no_peer, connect_ex=_no_peer),
    ):
        yield


def _torch_hub(folder: Path, fetch: Fetch) -> Mapping[str, Any]:
    stock = torch.hub.load_state_dict_from_url

    def download_url_to_file(
        url: str,
        dst: str,
        hash_prefix: str | None = None,
        progress: bool = True,  # noqa: ARG001, FBT001, FBT002 - torch's signature
    ) -> None:
        fetch(str(url), _inside(folder, dst), hash_prefix or "")

    @wraps(stock)
    def load_state_dict_from_url(
        url: str,
        model_dir: str | None = None,  # noqa: ARG001 - torch's signature
        *args: Any,
        **options: Any,
    ) -> Any:
        # Wherever else the code would have it: all files of a model lie in its folder.
        return stock(url, str(folder / _CHECKPOINTS), *args, **options)

    return {
        "download_url_to_file": download_url_to_file,
        "load_state_dict_from_url": load_state_dict_from_url,
        "_get_cache_or_reload": _no_other_repository,
        "_legacy_zip_load": _no_legacy_zip,
    }


def _inside(folder: Path, target: str | os.PathLike[str]) -> str:
    """A place of torch.hub's as seen from the folder; code and manifest are no place for files."""
    wanted = Path(os.path.normpath(Path(target).expanduser()))
    parts = wanted.relative_to(folder).parts if wanted.is_relative_to(folder) else ()
    inside = len(parts) > 1 and parts[0] == _CHECKPOINTS
    if not Path(target).is_absolute() or not inside:
        raise RefusedError(
            f"its code would keep a file at {os.fspath(target)}, and only what lies in "
            "torch.hub.get_dir()/checkpoints is kept with the model"
        )
    return "/".join(parts)


def _no_other_repository(github: str, *_args: Any, **_options: Any) -> None:
    raise RefusedError(
        f"its code calls torch.hub.load({github!r}, ...): code of another repository, which "
        "neither its commit nor your trust covers"
    )


def _no_legacy_zip(filename: str, *_args: Any, **_options: Any) -> None:
    raise RefusedError(f"{filename} is a zip around one file, as torch made them before 1.6")


def refuse_pickle(*_args: Any, **_options: Any) -> None:
    """Let nothing be unpickled.

    Raises:
        UnpicklingRefusedError: always.
    """
    raise UnpicklingRefusedError("its code unpickles by itself")


def refuse_host(host: Any, *_args: Any, **_options: Any) -> None:
    """Let no host be asked.

    Raises:
        RefusedError: always.
    """
    raise RefusedError(f"its code connects to {host} by itself, and only what it fetches "
                       "through torch.hub is kept with the model")  # fmt: skip


def _no_peer(_socket: Any, address: Any) -> None:
    refuse_host(address[0] if isinstance(address, tuple) else address)


@contextlib.contextmanager
def _replaced(holder: Any, **replacements: Any) -> Iterator[None]:
    mine = threading.get_ident()
    before = {name: getattr(holder, name) for name in replacements}
    for name, replacement in replacements.items():
        stands_in = callable(replacement)
        chosen = _only_in(mine, replacement, before[name]) if stands_in else replacement
        setattr(holder, name, chosen)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(holder, name, value)


def _only_in(thread: int, replacement: Any, stock: Any) -> Any:
    @wraps(stock, updated=())
    def choose(*args: Any, **options: Any) -> Any:
        chosen = replacement if threading.get_ident() == thread else stock
        return chosen(*args, **options)

    return choose


@contextlib.contextmanager
def _environment(values: Mapping[str, str | None]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    _set(values)
    try:
        yield
    finally:
        _set(before)


def _set(values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
