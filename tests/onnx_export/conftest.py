"""Exports that several tests look at, made once for all workers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from made_once import MINILM, Once
from onnx_export.zoo import FAMILIES, OTHERS

from pytest_potmodels.onnx_export import conversion, inference, recipes, subject
from pytest_potmodels.onnx_export.subject import Subject

__all__ = ["MINILM"]


@dataclass(frozen=True)
class Converted:
    """A case of the zoo, and the file that was made of it on the first rung."""

    subject: Subject
    folder: Path
    facts: dict[str, Any]

    @property
    def file(self) -> Path:
        return self.folder / "model.onnx"


@pytest.fixture(scope="session")
def converted(once: Once) -> Callable[[str], Converted]:
    """Converts a case of the zoo."""
    known: dict[str, Converted] = {}

    def convert(name: str) -> Converted:
        if name not in known:
            made = prepared(name)
            folder, facts = once(name, lambda folder: in_process("dynamo", made, folder))
            known[name] = Converted(made, folder, facts)
        return known[name]

    return convert


def prepared(name: str) -> Subject:
    """A case of the zoo with its recipe and answers."""
    case = {**FAMILIES, **OTHERS}[name]
    model = case.model()
    size = (case.image_size, case.image_size) if case.image_size else None
    return subject.prepare(model, inference.recipe_of(model), size)


def in_process(rung: str, made: Subject, folder: Path) -> dict[str, Any]:
    """What the child does, without a process."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return conversion.convert(rung, made, folder, say=lambda _line: None)
    finally:
        torch.set_num_threads(threads)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def own_recipes() -> Iterator[None]:
    """What a test registers is forgotten."""
    recipes.forget_recipes()
    yield
    recipes.forget_recipes()
