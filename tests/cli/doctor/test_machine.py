"""What `doctor` says of Python, packages, CI and settings."""

import sys
from pathlib import Path

import pytest
from cli.harness import Cli

from pytest_potmodels.cli.doctor import machine
from pytest_potmodels.cli.doctor.finding import Finding
from pytest_potmodels.settings.resolution import resolve


def found(folder: Path, **environ: str) -> dict[str, Finding]:
    return {each.check: each for each in machine.check(resolve({}, environ, folder))}


def test_versions_are_those_of_this_interpreter(cli: Cli) -> None:
    said = found(cli.folder)
    assert sys.executable in said["python"].said
    assert "huggingface_hub 2" in said["packages"].said
    assert "pytest-potmodels " in said["packages"].said


def test_ci_is_named_with_what_follows(cli: Cli) -> None:
    assert found(cli.folder)["CI"].said == (
        "not detected; a test without its required model is skipped"
    )
    assert found(cli.folder, GITLAB_CI="true")["CI"].said == (
        "detected by GITLAB_CI; a test without its required model fails"
    )


def test_settings_that_are_not_the_default_are_named_with_their_origin(cli: Cli) -> None:
    cli.configure("jobs = 9\n")
    said = found(cli.folder, POT_RETRIES="2")["settings"].said
    assert f"jobs=9 ({cli.folder / 'potmodels.toml'}:1)" in said
    assert "retries=2 (POT_RETRIES)" in said


def test_a_package_that_is_not_installed_is_told_with_what_installs_it(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(machine._OPTIONAL, "no-such-framework", "vision")
    said = found(cli.folder)["packages"]
    assert said.status == "warn"
    assert said.said.startswith("no-such-framework is not installed")
    assert said.remedy == "pip install 'pytest-potmodels[vision]'"


def test_a_package_that_must_be_there_is_a_failure(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_NEEDED", ("no-such-client",))
    statuses = [each.status for each in machine.check(resolve({}, {}, cli.folder))]
    assert "fail" in statuses
