"""torch and torchvision: do they import? Asked in a process of its own, which may crash."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec

from pytest_potmodels.cli.doctor.finding import Finding

_PATIENCE = 180.0
_MATCHING = "install the torchvision that belongs to this torch: https://pytorch.org/get-started"
_Answers = Mapping[str, str]


def check(device: str) -> Iterator[Finding]:
    """Import what is installed; what is not, `machine` has said."""
    if find_spec("torch") is None:
        return
    answers, crash = _ask()
    yield _torch(answers, crash)
    if "torch" in answers:
        yield _device(device, answers)
    if "torch" in answers and find_spec("torchvision") is not None:
        yield _torchvision(answers, crash)


def _ask() -> tuple[_Answers, str]:
    """What the importing process said, and how it ended if not well."""
    command = [sys.executable, "-m", "pytest_potmodels.cli.doctor.imports"]
    try:
        ended = subprocess.run(  # noqa: S603 - our own module in our own interpreter
            command, capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return {}, f"the import did not end within {_PATIENCE:g} s"
    answers: dict[str, str] = {}
    for line in ended.stdout.splitlines():
        with suppress(ValueError, TypeError):  # what the imported packages print is not ours
            answers |= json.loads(line)
    last = ended.stderr.strip().splitlines()[-1:] or ["no message"]
    return answers, f"exit code {ended.returncode}, {last[0]}" if ended.returncode else ""


def _torch(answers: _Answers, crash: str) -> Finding:
    if "torch" in answers:
        return Finding("torch", "ok", f"{answers['torch']} imports")
    said = answers.get("torch_error") or f"its import crashed: {crash}"
    return Finding("torch", "fail", said, "pip install --force-reinstall torch")


def _device(device: str, answers: _Answers) -> Finding:
    said = f"{device}; torch sees {answers['gpus']} CUDA devices"
    if device.startswith("cuda") and answers["gpus"] == "0":
        remedy = "--device cpu, or a torch with CUDA and a driver for it"
        return Finding("device", "fail", said, remedy)
    return Finding("device", "ok", said)


def _torchvision(answers: _Answers, crash: str) -> Finding:
    if "torchvision" in answers:
        return Finding("torchvision", "ok", f"{answers['torchvision']} imports")
    error = answers.get("torchvision_error") or f"its import crashed: {crash}"
    if "guarded" in answers:
        return Finding(
            "torchvision",
            "warn",
            f"{answers['guarded']} was built for another torch than {answers['torch']} ({error}). "
            "Our loader declares the missing operators first, so classifiers and transformers "
            "load; a test that imports torchvision before that fails",
            _MATCHING,
        )
    return Finding("torchvision", "fail", error, _MATCHING)
