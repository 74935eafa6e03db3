"""A process that holds a lock: prints "held", and lets go when its input ends or a line comes.

Arguments: the lock file, and the seconds to wait for it. Prints the error where it fails.
"""

import sys
from pathlib import Path

from pytest_potmodels.errors import StoreError
from pytest_potmodels.store.locks import held

try:
    with held(Path(sys.argv[1]), timeout=float(sys.argv[2])):
        sys.stdout.write("held\n")
        sys.stdout.flush()
        sys.stdin.readline()
except StoreError as error:
    sys.stdout.write(f"{error.message}\n")
