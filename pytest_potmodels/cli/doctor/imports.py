"""Run as a process of its own: import torch and torchvision, and print a JSON line for each step.

A line at a time, because the next import may take the process with it.
"""

import importlib
import json


def answer(**said: str) -> None:
    """Print a line that survives a crash."""
    print(json.dumps(said), flush=True)  # noqa: T201 - stdout is the way back


def ask() -> None:
    """Import torch, then torchvision as a user would, then as our loader does."""
    try:
        torch = importlib.import_module("torch")
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer
        answer(torch_error=_said(error))
        return
    answer(torch=torch.__version__, gpus=str(torch.cuda.device_count()))
    try:
        answer(torchvision=importlib.import_module("torchvision").__version__)
    except Exception as error:  # noqa: BLE001
        answer(torchvision_error=_said(error))
        _ask_guarded()


def _ask_guarded() -> None:
    guard = importlib.import_module("pytest_potmodels.loading.torchvision_guard")
    try:
        answer(guarded=guard.import_torchvision().__version__)
    except Exception as error:  # noqa: BLE001
        answer(guarded_error=_said(error))


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


if __name__ == "__main__":
    ask()
