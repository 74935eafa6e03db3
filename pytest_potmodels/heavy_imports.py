"""Import frameworks with the garbage collector paused, and keep what they bring out of its way.

torch and transformers make a million objects that live to the end, and the collector walks
through all of them time and again, during the import and after it: a third of the processor time
of a short run.
"""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

#: So many new modules are a framework; test modules and a small library are not.
_MANY = 100


@contextmanager
def collector_paused(*, freeze: bool) -> Iterator[None]:
    """Pause the collector for an import that is still to come, then freeze what there is.

    Enter it once per framework, not once per call: it begins with a full collection, because
    garbage must not be frozen with the rest. Nothing is frozen where no framework came in. A
    collector that is switched off already, by the user or further out, stays off.

    Args:
        freeze: the setting `gc` is "freeze"; without it this does nothing.
    """
    if not (freeze and gc.isenabled()):
        yield
        return
    gc.collect()
    before = len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        if "torch" in sys.modules and len(sys.modules) - before >= _MANY:
            gc.freeze()
        gc.enable()


@contextmanager
def collector_off() -> Iterator[None]:
    """Pause the collector while thousands of small objects are made that are there to stay."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
