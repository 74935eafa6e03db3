"""Python, packages, CI and configuration."""

import platform
import sys
from collections.abc import Iterator
from importlib import metadata

from pytest_potmodels import __version__
from pytest_potmodels.cli.doctor.finding import Finding
from pytest_potmodels.settings.values import Settings

_OLDEST = (3, 11)
_NEEDED = ("pytest", "filelock", "huggingface_hub", "httpx2", "safetensors", "click", "rich")
#: Package -> the extra that brings it.
_OPTIONAL = {"torch": "vision", "torchvision": "vision", "transformers": "language"}


def check(settings: Settings) -> Iterator[Finding]:
    """Look at the interpreter, what is installed in it, and what configures us."""
    yield _python()
    yield from _packages()
    yield _configuration(settings)
    yield _ci(settings)


def _python() -> Finding:
    said = f"{platform.python_version()} on {platform.platform()}, {sys.executable}"
    if sys.version_info < _OLDEST:
        return Finding("python", "fail", said, "pytest-potmodels needs Python 3.11 or newer")
    return Finding("python", "ok", said)


def _packages() -> Iterator[Finding]:
    versions = {name: _version(name) for name in (*_NEEDED, *_OPTIONAL)}
    there = [f"{name} {version}" for name, version in versions.items() if version]
    missing = [name for name in _NEEDED if not versions[name]]
    said = f"pytest-potmodels {__version__}, {', '.join(there)}"
    if missing:
        wanted = " ".join(missing)
        yield Finding("packages", "fail", f"not installed: {wanted}", f"pip install {wanted}")
    yield Finding("packages", "ok", said)
    for name, extra in _OPTIONAL.items():
        if not versions[name]:
            yield Finding(
                "packages",
                "warn",
                f"{name} is not installed: models can be fetched, not loaded",
                f"pip install 'pytest-potmodels[{extra}]'",
            )


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _configuration(settings: Settings) -> Finding:
    said = ", ".join(settings.non_defaults()) or "all settings have their defaults"
    file = settings.config.path if settings.config else "no configuration file"
    return Finding("settings", "ok", f"{file}; {said}")


def _ci(settings: Settings) -> Finding:
    said = f"detected by {settings.ci}" if settings.ci else "not detected"
    then = "fails" if settings.missing == "fail" else "is skipped"
    return Finding("CI", "ok", f"{said}; a test without its required model {then}")
