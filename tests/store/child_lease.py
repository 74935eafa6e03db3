"""Take leases on entries, say so, wait for a line; then say which entries are leased by whom."""

import json
import sys
from pathlib import Path

from pytest_potmodels.store.layout import Layout
from pytest_potmodels.store.leases import Leases

if __name__ == "__main__":
    cache, *names = sys.argv[1:]
    leases = Leases(Layout.at(Path(cache)))
    taken = [name for name in names if leases.take(name)]
    sys.stdout.write(f"taken {' '.join(taken)}\n")
    sys.stdout.flush()
    sys.stdin.readline()
    used = {str(each.process): sorted(each.names or ()) for each in leases.look()}
    sys.stdout.write(json.dumps(used))
