"""The threads of an ONNX session, which reads no variable itself."""

import pytest

from pytest_potmodels.session.cores import usable_cores
from pytest_potmodels.session.threads import own_threads


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, usable_cores()),
        ({"OMP_NUM_THREADS": "3"}, 3),
        ({"MKL_NUM_THREADS": "5"}, 5),
        ({"OMP_NUM_THREADS": "3", "MKL_NUM_THREADS": "5"}, 3),
        ({"OMP_NUM_THREADS": "0"}, usable_cores()),
        ({"OMP_NUM_THREADS": "2,1"}, usable_cores()),
    ],
    ids=["nothing", "OpenMP", "MKL", "both", "zero", "nested"],
)
def test_they_are_those_that_somebody_decided_on(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str], expected: int
) -> None:
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)
    assert own_threads() == expected
