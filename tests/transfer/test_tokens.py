import subprocess
import sys
from pathlib import Path

import pytest

from pytest_potmodels.transfer.tokens import hub_token


def test_the_variable_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_from_the_environment")
    assert hub_token() == "hf_from_the_environment"


@pytest.mark.parametrize(("switch", "expected"), [("0", "hf_saved"), ("1", "None")])
def test_a_saved_token_is_found_unless_the_user_forbids_it(
    tmp_path: Path, switch: str, expected: str
) -> None:
    (tmp_path / "token").write_text("hf_saved\n")
    code = "from pytest_potmodels.transfer.tokens import hub_token; print(hub_token())"
    environ = {"HF_HOME": str(tmp_path), "HF_HUB_DISABLE_IMPLICIT_TOKEN": switch}
    child = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert child.stdout.strip() == expected
