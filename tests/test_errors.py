import copy
import pickle
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_potmodels import errors
from pytest_potmodels.errors import (
    NEVER_SUBSTITUTED,
    DigestMismatchError,
    LUTDigestError,
    LUTError,
    LUTNameError,
    LUTWeightsError,
    MissingPackageError,
    ModelConnectionError,
    ModelConversionError,
    ModelFileNotFoundError,
    ModelTooLargeError,
    ModelUnsupportedError,
    ModelVerificationError,
    NotLockedError,
    NotPlannedError,
    PotModelsError,
    Reason,
    StoreError,
    UnavailableError,
    UnknownNameError,
    UsageError,
    close_matches,
)

KNOWN = ["resnet18", "resnet34", "ResNet50", "vit_b_16"]
EXAMPLES = [
    PotModelsError("what", remedy="how"),
    UsageError("what", remedy="how"),
    UnknownNameError("model", "resnet81", KNOWN, remedy="how", where="pyproject.toml:3"),
    UnavailableError("what", reason=Reason.GATED, remedy="how"),
    ModelTooLargeError("what", remedy="how"),
    NotPlannedError("what", remedy="how"),
    NotLockedError("what", remedy="how"),
    MissingPackageError("what", remedy="how"),
    DigestMismatchError("what", expected="aa", found="bb", remedy="how"),
    StoreError("what", remedy="how"),
    LUTError("what", remedy="how"),
    LUTNameError("key", "temprature", ["temperature"], remedy="how"),
    LUTWeightsError("what", remedy="how"),
    LUTDigestError("what", expected="aa", found="bb", remedy="how"),
    ModelVerificationError("what", remedy="how"),
    ModelConversionError("what", tried=["dynamo: it failed"], remedy="how"),
    ModelUnsupportedError("what", tried=["dynamo: it failed"], remedy="how"),
    ModelFileNotFoundError("what", reason=Reason.UNKNOWN_MODEL, remedy="how"),
    ModelConnectionError("what", reason=Reason.OFFLINE, remedy="how"),
]


def every_class(kind: type[PotModelsError]) -> set[type[PotModelsError]]:
    return {kind}.union(*map(every_class, kind.__subclasses__()))


def test_there_is_an_example_of_every_class() -> None:
    defined = {kind for kind in every_class(PotModelsError) if kind.__module__ == errors.__name__}
    assert {type(example) for example in EXAMPLES} == defined


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_error_crosses_a_process_border_whole(error: PotModelsError, protocol: int) -> None:
    error.add_note("a note")
    for other in (pickle.loads(pickle.dumps(error, protocol)), copy.copy(error)):  # noqa: S301
        assert type(other) is type(error)
        assert (str(other), other.args, vars(other)) == (str(error), error.args, vars(error))
        assert other.exit_code == error.exit_code


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_every_error_says_what_mends_it(error: PotModelsError) -> None:
    assert str(error) == f"{error.message}\n  To mend it: how"
    assert str(PotModelsError("alone")) == "alone"


def test_exit_codes_are_the_documented_ones() -> None:
    codes = {type(error).__name__: error.exit_code for error in EXAMPLES}
    assert codes == {
        "PotModelsError": 70,
        "UsageError": 2,
        "UnknownNameError": 2,
        "UnavailableError": 3,
        "ModelTooLargeError": 3,
        "NotPlannedError": 3,
        "NotLockedError": 3,
        "MissingPackageError": 3,
        "DigestMismatchError": 4,
        "StoreError": 3,
        "LUTError": 2,
        "LUTNameError": 2,
        "LUTWeightsError": 3,
        "LUTDigestError": 4,
        "ModelVerificationError": 1,
        "ModelConversionError": 1,
        "ModelUnsupportedError": 3,
        "ModelFileNotFoundError": 3,
        "ModelConnectionError": 3,
    }


def test_what_cannot_be_exported_is_unavailable_and_what_came_out_wrong_is_not() -> None:
    unsupported = ModelUnsupportedError("what", tried=["dynamo: no"])
    assert isinstance(unsupported, UnavailableError)
    assert (unsupported.reason, unsupported.tried) == (Reason.NOT_EXPORTABLE, ("dynamo: no",))
    assert unsupported.substitutable
    assert not isinstance(ModelConversionError("what"), UnavailableError)


def test_every_error_of_a_lut_network_is_caught_as_a_person_would_catch_it() -> None:
    luts = [error for error in EXAMPLES if type(error).__name__.startswith("LUT")]
    assert len(luts) == 4
    for error in luts:
        assert isinstance(error, LUTError)
        assert isinstance(error, ValueError)
    name = LUTNameError("key", "temprature", ["temperature"])
    assert isinstance(name, KeyError)
    assert str(name) == "unknown key 'temprature'. Did you mean 'temperature'?"
    assert LUTWeightsError("what").reason == Reason.NOT_CACHED


def test_wrong_bytes_are_not_a_kind_of_unavailable() -> None:
    assert not issubclass(DigestMismatchError, UnavailableError | StoreError)


@pytest.mark.parametrize("reason", list(Reason))
def test_a_mistake_is_never_answered_with_a_mock(reason: Reason) -> None:
    mistakes = {
        Reason.UNKNOWN_MODEL,
        Reason.UNKNOWN_REVISION,
        Reason.TOO_LARGE,
        Reason.NOT_LOADABLE,
        Reason.NOT_LOCKED,
        Reason.NOT_TRUSTED,
    }
    assert UnavailableError("x", reason=reason).substitutable == (reason not in mistakes)
    assert mistakes == NEVER_SUBSTITUTED


def test_reasons_are_words_that_fit_a_report() -> None:
    assert all(reason == reason.lower() and " " not in reason for reason in Reason)


def test_an_unknown_name_lists_close_ones() -> None:
    error = UnknownNameError("model", "resnet81", KNOWN, where="pyproject.toml:3")
    assert error.message == (
        "pyproject.toml:3: unknown model 'resnet81'. Did you mean 'resnet18', 'ResNet50' or "
        "'resnet34'?"
    )
    assert error.matches[0] == "resnet18"
    assert UnknownNameError("model", "xyz", KNOWN).message == "unknown model 'xyz'."


@given(st.sampled_from(KNOWN), st.integers(0, 7))
def test_one_wrong_letter_is_forgiven_in_any_case(name: str, at: int) -> None:
    misspelt = (name[:at] + "q" + name[at + 1 :]).upper()
    assert name in close_matches(misspelt, KNOWN)


def test_errors_need_nothing_but_the_standard_library() -> None:
    code = (
        "import sys; import pytest_potmodels.errors, pytest_potmodels.identifiers,"
        " pytest_potmodels.digests; print([m for m in sys.modules if m.partition('.')[0] in"
        " ('torch', 'numpy', 'huggingface_hub', 'filelock', 'yaml', 'rich', 'httpx2')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
