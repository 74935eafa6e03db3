"""Names of tasks, classes and number types."""

from typing import Any

import pytest

from pytest_potmodels.artifacts import LoadOptions
from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.loading.options import AUTO_CLASSES, TASKS, auto_class_of, check


def test_the_classes_are_those_of_transformers(transformers: Any) -> None:
    theirs = {name for name in dir(transformers) if name.startswith("AutoModel")}
    assert set(AUTO_CLASSES) == theirs
    assert set(TASKS.values()) <= theirs


def test_transformers_itself_answers_a_task_with_the_same_class(transformers: Any) -> None:
    from transformers.pipelines import SUPPORTED_TASKS  # noqa: PLC0415 - behind the guard

    shared = sorted(SUPPORTED_TASKS.keys() & TASKS.keys())
    assert len(shared) > 10
    for task in shared:
        assert TASKS[task] in {each.__name__ for each in SUPPORTED_TASKS[task]["pt"]}, task


def test_without_a_task_there_is_no_head() -> None:
    assert auto_class_of(LoadOptions()) == "AutoModel"
    assert auto_class_of(LoadOptions(task="summarization")) == "AutoModelForSeq2SeqLM"


def test_a_task_and_a_class_that_contradict_each_other_are_an_error() -> None:
    with pytest.raises(UsageError, match=r"fill-mask.*means AutoModelForMaskedLM"):
        auto_class_of(LoadOptions(task="fill-mask", auto_class="AutoModelForCausalLM"))


@pytest.mark.parametrize(
    "options",
    [LoadOptions(task="fill mask"), LoadOptions(auto_class="Auto"), LoadOptions(dtype="half")],
)
def test_every_unknown_name_is_found_before_anything_is_loaded(options: LoadOptions) -> None:
    check(LoadOptions(task="fill-mask", dtype="float16"))
    with pytest.raises(UnknownNameError):
        check(options)
