"""Inputs of the Action, as options and as variables."""

from dataclasses import fields

import pytest

from pytest_potmodels.ci.inputs import INPUTS, Inputs, read, variable
from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.settings.options import ALL
from pytest_potmodels.settings.resolution import _reject_misspelt_variables


def test_each_field_is_an_input_of_that_name() -> None:
    assert [field.name.replace("_", "-") for field in fields(Inputs)] == list(INPUTS)


def test_nothing_said_is_the_default_and_so_is_an_empty_text() -> None:
    assert read({}, {}) == Inputs()
    assert read(dict.fromkeys(INPUTS), {variable(name): "" for name in INPUTS}) == Inputs()


def test_no_variable_of_the_action_is_taken_for_a_misspelt_one_of_ours() -> None:
    assert ALL
    _reject_misspelt_variables(dict.fromkeys(map(variable, INPUTS), "x"))


@pytest.mark.parametrize("word", ["true", "TRUE", "1", "yes", "Yes"])
def test_words_for_true(word: str) -> None:
    assert read({}, {"POT_ACTION_ALLOW_GATED": word}).allow_gated is True


@pytest.mark.parametrize("word", ["false", "False", "0", "no", "NO"])
def test_words_for_false(word: str) -> None:
    found = read({}, dict.fromkeys(("POT_ACTION_OFFLINE", "POT_ACTION_CACHE"), word))
    assert (found.offline, found.cache) == (False, "false")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("offline", "on"),
        ("allow-gated", "maybe"),
        ("cache", "auot"),
        ("cache", "true"),
        ("summary", "sometimes"),
        ("max-size", "8 apples"),
        ("cache-suffix", "a,b"),
        ("cache-suffix", "x" * 101),
        ("cache-dir", "a\nb"),
        ("cache-dir", "*"),
        ("cache-dir", "models?"),
        ("cache-dir", "!x"),
        ("select", "a\x00b"),
    ],
)
def test_a_value_that_cannot_be_meant_names_its_input(name: str, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        read({}, {variable(name): value})
    assert f"input {name}" in str(caught.value)
    with pytest.raises(UsageError) as caught:
        read({name: value}, {})
    assert f"--{name}" in str(caught.value)


def test_an_unknown_variable_has_close_matches() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'max-size'"):
        read({}, {"POT_ACTION_MAXSIZE": "1GB"})


def test_lists_are_words_over_lines() -> None:
    found = read({"select": "bert  resnet18\n org/*"}, {})
    assert found.select == ("bert", "resnet18", "org/*")


def test_a_token_is_in_no_text_of_the_inputs() -> None:
    assert "hf_secret" not in repr(read({}, {"POT_ACTION_TOKEN": "hf_secret"}))


@pytest.mark.parametrize("token", ["hf_a\nABC", "hf_\x07ABC", "hf_\u200bABC"])
def test_a_token_is_in_no_error_either(token: str) -> None:
    with pytest.raises(UsageError, match="input token") as caught:
        read({}, {"POT_ACTION_TOKEN": token})
    assert "ABC" not in caught.value.message + caught.value.remedy
    assert caught.value.__cause__ is None
