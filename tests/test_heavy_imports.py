"""The collector is off during a heavy import, and what came in is frozen; else it is as it was."""

import subprocess
import sys

import pytest

#: Modules of no framework, and one that calls itself torch.
PRELUDE = """
import gc, sys, types
from pytest_potmodels.heavy_imports import collector_off, collector_paused

def import_modules(count, torch):
    for number in range(count):
        sys.modules[f"made_{number}"] = types.ModuleType(f"made_{number}")
    if torch:
        sys.modules["torch"] = types.ModuleType("torch")
    assert not gc.isenabled()
"""


def python(code: str) -> str:
    """What the code prints in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-c", PRELUDE + code], capture_output=True, text=True, check=False
    )
    assert not ran.returncode, ran.stderr
    return ran.stdout.strip()


@pytest.mark.parametrize(("count", "torch", "frozen"), [
    (1000, True, True), (1000, False, False), (3, True, False),
])  # fmt: skip
def test_what_a_framework_brought_is_frozen(count: int, *, torch: bool, frozen: bool) -> None:
    code = f"""
with collector_paused(freeze=True):
    import_modules({count}, {torch})
print(gc.isenabled(), gc.get_freeze_count() > 0)
"""
    assert python(code) == f"True {frozen}"


def test_garbage_is_not_frozen() -> None:
    code = """
import weakref
class Node: pass
node = Node()
node.itself = node
gone = weakref.ref(node)
gc.disable()
del node
gc.enable()
with collector_paused(freeze=True):
    assert gone() is None
    import_modules(1000, True)
print("ok")
"""
    assert python(code) == "ok"


def test_an_import_that_fails_leaves_the_collector_on() -> None:
    code = """
for pause in (lambda: collector_paused(freeze=True), collector_off):
    try:
        with pause():
            import_modules(3, True)
            raise ImportError
    except ImportError:
        print(gc.isenabled(), gc.get_freeze_count())
"""
    assert python(code).split() == ["True", "0"] * 2


def test_a_collector_that_is_off_stays_off_and_nothing_is_frozen() -> None:
    code = """
gc.disable()
with collector_paused(freeze=True), collector_off():
    import_modules(1000, True)
print(gc.isenabled(), gc.get_freeze_count())
"""
    assert python(code) == "False 0"


def test_the_outermost_pause_switches_it_on_again() -> None:
    code = """
with collector_off():
    with collector_paused(freeze=True), collector_off():
        import_modules(1000, True)
    print(gc.isenabled(), gc.get_freeze_count())
print(gc.isenabled())
"""
    assert python(code).split() == ["False", "0", "True"]


def test_without_the_setting_nothing_happens() -> None:
    code = """
with collector_paused(freeze=False):
    print(gc.isenabled())
print(gc.isenabled(), gc.get_freeze_count())
"""
    assert python(code).split() == ["True", "True", "0"]
