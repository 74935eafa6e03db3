"""Whose code may run."""

from pathlib import Path

import pytest

from pytest_potmodels.errors import Reason, UnavailableError, UsageError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.settings.resolution import resolve
from pytest_potmodels.settings.trust import read_trust, require_trust

VISION = "pytorch_hub:pytorch/vision"
MODEL = ModelId("pytorch_hub", "pytorch/vision/resnet50")
COMMIT = "0123456789" * 4


def test_nothing_is_trusted_at_first(tmp_path: Path) -> None:
    assert resolve({}, {}, tmp_path).trust == ()


def test_the_variable_has_them_with_white_space_between(tmp_path: Path) -> None:
    settings = resolve({}, {"POT_TRUST": f"{VISION}  pytorch_hub:a/b\n"}, tmp_path)
    assert settings.trust == (VISION, "pytorch_hub:a/b")
    assert settings.origins["trust"] == "POT_TRUST"
    assert settings.non_defaults() == [f"trust={VISION} pytorch_hub:a/b (POT_TRUST)"]


def test_a_file_has_them_as_a_list(tmp_path: Path) -> None:
    path = tmp_path / "potmodels.toml"
    path.write_text(f'trust = ["{VISION}"]\n')
    assert resolve({}, {}, tmp_path).trust == (VISION,)


def test_the_command_line_goes_before_the_variable(tmp_path: Path) -> None:
    settings = resolve({"trust": (VISION,)}, {"POT_TRUST": "pytorch_hub:a/b"}, tmp_path)
    assert settings.trust == (VISION,)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("pytorch/vision", "write pytorch_hub:pytorch/vision."),
        ("pytorchhub:pytorch/vision", "did you mean 'pytorch_hub'?"),
        ("huggingface:org/model", "only pytorch_hub has code that is run"),
        ("pytorch_hub:pytorch/vision/resnet50", "write pytorch_hub:pytorch/vision."),
        ("pytorch_hub:pytorch/vision:v1", "write pytorch_hub:pytorch/vision."),
        ("pytorch_hub:pytorch/vision@v1", "write pytorch_hub:pytorch/vision."),
        ("pytorch_hub:pytorch", "write pytorch_hub:OWNER/REPOSITORY."),
        ("pytorch_hub:pytorch/*", "write pytorch_hub:OWNER/REPOSITORY."),
        ("pytorch_hub:pytorch/..", "write pytorch_hub:OWNER/REPOSITORY."),
        ("*", "write pytorch_hub:OWNER/REPOSITORY."),
    ],
)
def test_what_is_no_repository_is_an_error_that_says_how_to_write_it(
    tmp_path: Path, written: str, said: str
) -> None:
    with pytest.raises(UsageError) as caught:
        resolve({}, {"POT_TRUST": written}, tmp_path)
    assert caught.value.message.startswith("POT_TRUST: ")
    assert said in caught.value.message


def test_a_switch_is_no_list_of_repositories(tmp_path: Path) -> None:
    (tmp_path / "potmodels.toml").write_text("trust = true\n")
    with pytest.raises(UsageError, match=r"potmodels\.toml:1: True is no list"):
        resolve({}, {}, tmp_path)


def test_a_trusted_repository_passes_however_it_is_spelt() -> None:
    require_trust((VISION,), MODEL, COMMIT)
    require_trust(("pytorch_hub:PyTorch/Vision",), MODEL, COMMIT)


@pytest.mark.parametrize("trusted", [(), ("pytorch_hub:pytorch/fairseq",), ("pytorch_hub:a/b",)])
def test_any_other_repository_is_not_trusted(trusted: tuple[str, ...]) -> None:
    with pytest.raises(UnavailableError) as caught:
        require_trust(trusted, MODEL, COMMIT)
    error = caught.value
    assert (error.reason, error.substitutable) == (Reason.NOT_TRUSTED, False)
    assert "https://github.com/pytorch/vision" in error.message
    assert COMMIT in error.message
    assert f'trust = ["{VISION}"]' in error.remedy
    assert f"POT_TRUST={VISION}" in error.remedy
    assert f"--trust {VISION}" in error.remedy


def test_a_misspelt_repository_is_pointed_at() -> None:
    with pytest.raises(UnavailableError, match="trusted is pytorch_hub:pytorch/vison, is that"):
        require_trust(("pytorch_hub:pytorch/vison",), MODEL, COMMIT)


def test_each_is_kept_once() -> None:
    assert read_trust([VISION, VISION]) == (VISION,)
