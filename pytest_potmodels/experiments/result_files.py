"""Results on disk: written whole or not at all, and refused where they are damaged."""

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import UnionType
from typing import Any, cast, get_args, get_origin, get_type_hints

from pytest_potmodels.errors import StoreError, UsageError
from pytest_potmodels.experiments.models import ModelPin
from pytest_potmodels.experiments.results import (
    SCHEMA,
    STATUSES,
    Artifact,
    Code,
    ExperimentResult,
    Failure,
    Repeat,
    sha256_of,
)
from pytest_potmodels.store.disk import write_whole
from pytest_potmodels.store.plain_json import LARGEST, load, one_of, typed

_DIGEST = "sha256"


@dataclass(frozen=True)
class Listed:
    """A file in a folder of results: a result, or why it is none."""

    path: Path
    result: ExperimentResult | None
    damage: str = ""


def write_result(result: ExperimentResult) -> None:
    """Write a result to its path; a kill leaves the earlier file there, or none.

    Raises:
        StoreError: the folder does not take it.
    """
    if result.path is None:
        raise UsageError("This result has no path to be written to.")
    record = result.as_json()
    text = json.dumps({**record, _DIGEST: sha256_of(record)}, indent=2, allow_nan=False)
    if len(text) >= LARGEST:
        raise UsageError(
            f"The result {result.path} would have {len(text)} bytes, more than {LARGEST}.",
            remedy="return fewer figures, and write all else to context.artifacts",
        )
    try:
        write_whole(result.path, text + "\n")
    except OSError as error:
        raise StoreError(
            f"The result {result.path} cannot be written: {error.strerror or error}.",
            remedy="choose another output_dir",
        ) from error


def read_result(path: str | Path) -> ExperimentResult:
    """Read a result.

    Raises:
        UsageError: no such file, no result, a newer one than this version reads, or a damaged
            one; the message names the path.
    """
    file = Path(path)
    try:
        return replace(_result(load(file.resolve())), path=file)  # Links are the user's own.
    except FileNotFoundError:
        raise UsageError(
            f"There is no result {file}.", remedy="potmodels experiment list shows what there is"
        ) from None
    except RecursionError:
        raise _damaged(file, "it is nested too deeply") from None
    except (KeyError, TypeError, ValueError, OSError) as error:
        what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        raise _damaged(file, what) from error


def list_results(folder: str | Path = "experiments") -> list[Listed]:
    """The results in a folder and the folders below it, the oldest first, damaged ones, too.

    Raises:
        UsageError: there is no such folder.
    """
    root = Path(folder)
    if not root.is_dir():
        raise UsageError(
            f"There is no folder {root}.", remedy="name the output_dir of the experiments"
        )
    # What functions wrote lies one level deeper, and may be JSON, too.
    files = {*root.glob("*.json"), *root.glob("*/*.json")}
    return [_listed(path) for path in sorted(files, key=lambda path: (path.name, str(path)))]


def _listed(path: Path) -> Listed:
    try:
        return Listed(path, read_result(path))
    except UsageError as error:
        return Listed(path, None, error.message)


def _damaged(path: Path, what: str) -> UsageError:
    return UsageError(f"{path} is no result of an experiment, or damaged: {what}.")


def _result(data: Any) -> ExperimentResult:
    record = typed(dict, data)
    schema = typed(int, record["schema"])
    if schema != SCHEMA:
        raise ValueError(f"it has schema {schema}, this version reads {SCHEMA}")
    digest = record.pop(_DIGEST)
    if sha256_of(record) != digest:
        raise ValueError(f"its content has another sha256 than the {digest!r:.80} it carries")
    del record["schema"]
    one_of(STATUSES, record["status"])
    failure = record.pop("failure")
    record |= {
        "code": _made(Code, record["code"]),
        "models": tuple(_made(ModelPin, each) for each in typed(list, record["models"])),
        "repeats": tuple(_made(Repeat, each) for each in typed(list, record["repeats"])),
        "artifacts": tuple(_made(Artifact, each) for each in typed(list, record["artifacts"])),
        "failure": _made(Failure, failure) if failure is not None else None,
    }
    return cast(ExperimentResult, _made(ExperimentResult, record))


def _made(kind: type[Any], data: Any) -> Any:
    """A value of a dataclass from a table with exactly its keys, each of its type."""
    table = typed(dict, data)
    hints = get_type_hints(kind)
    for each in fields(kind):
        if each.compare:  # Where the file lies is not in the file.
            _check_type(each.name, table[each.name], hints[each.name])
    return kind(**table)


def _check_type(name: str, value: Any, hint: Any) -> None:
    """Compare with `str`, `str | None`, `Mapping[...]`, `tuple[...]`."""
    for kind in get_args(hint) if isinstance(hint, UnionType) else (hint,):
        expected = get_origin(kind) or kind
        if isinstance(value, (expected, int) if expected is float else expected):
            return
    raise TypeError(f"{name} is {value!r:.80}")
