"""Whose code may run: repositories that somebody has named, and no other."""

import re
from collections.abc import Sequence
from typing import Any

from pytest_potmodels.errors import Reason, UnavailableError, close_matches
from pytest_potmodels.identifiers import ModelId

#: Sources whose models are code; that of the others is this machine's own.
_SOURCE = "pytorch_hub"
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/(?!\.\.?$)[A-Za-z0-9._-]+")


def read_trust(raw: Any) -> tuple[str, ...]:
    """The repositories of a list, or of a text with white space between them.

    Raises:
        ValueError: one of them is no `pytorch_hub:OWNER/REPOSITORY`.
    """
    if not isinstance(raw, str | list | tuple):
        raise ValueError(f"{raw!r} is no list; write ['{_SOURCE}:OWNER/REPOSITORY'].")  # noqa: TRY004
    named = raw.split() if isinstance(raw, str) else raw
    return tuple(dict.fromkeys(_checked(str(each)) for each in named))


def require_trust(trusted: Sequence[str], model_id: ModelId, commit: str) -> None:
    """Pass if the code of a model's repository may run.

    Raises:
        UnavailableError: NOT_TRUSTED; the message says what would run, the remedy how to allow it.
    """
    repository = _repository_of(model_id)
    # GitHub has one repository under all spellings of its name.
    if repository.casefold() in {each.casefold() for each in trusted}:
        return
    place = repository.partition(":")[2]
    raise UnavailableError(
        f"{model_id} is Python code of https://github.com/{place} at commit {commit}, and stored "
        f"code is not run unless its repository is trusted{_instead(repository, trusted)}.",
        reason=Reason.NOT_TRUSTED,
        remedy=f'read that code, then write trust = ["{repository}"] in [tool.potmodels], '
        f"or POT_TRUST={repository}, or for `potmodels`: --trust {repository}",
    )


def _instead(repository: str, trusted: Sequence[str]) -> str:
    near = close_matches(repository, trusted)
    if near:
        return f"; trusted is {near[0]}, is that a misspelling?"
    return f"; trusted are {', '.join(trusted)}" if trusted else ""


def _repository_of(model_id: ModelId) -> str:
    return f"{model_id.source}:{model_id.name.rpartition('/')[0]}"


def _checked(text: str) -> str:
    source, colon, name = text.partition(":")
    if _REPOSITORY.fullmatch(name) and source == _SOURCE:
        return text
    raise ValueError(f"{text!r} is no repository to trust; {_meant(source, colon, name)}")


def _meant(source: str, colon: str, name: str) -> str:
    form = f"write {_SOURCE}:OWNER/REPOSITORY."
    if not colon:
        return f"write {_SOURCE}:{source}." if _REPOSITORY.fullmatch(source) else form
    if source != _SOURCE:
        near = close_matches(source, [_SOURCE])
        known = f"did you mean {_SOURCE!r}?" if near else f"only {_SOURCE} has code that is run;"
        return f"{known} {form}"
    repository = "/".join(re.split(r"[:@]", name)[0].split("/")[:2])
    if _REPOSITORY.fullmatch(repository):
        return f"trust is for all of a repository: write {_SOURCE}:{repository}."
    return form
