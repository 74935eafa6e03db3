"""A process that does one job: `python -m` this, told in a line of JSON what to do.

It says how far it is and what it came to on what was its standard output, a JSON object in a
line each. All that libraries print goes to the standard error.
"""

import json
import os
import sys
from typing import IO, Any

from pytest_potmodels.onnx_export.lifeline import die_with_parent
from pytest_potmodels.verification import job as jobs
from pytest_potmodels.verification.job import Job


def main() -> None:
    """Do what the first line of the input says."""
    said = json.loads(sys.stdin.readline())
    die_with_parent(said.pop("parent"))
    out = _own_output()

    def tell(**message: Any) -> None:
        out.write(json.dumps(message) + "\n")
        out.flush()

    tell(done=jobs.done(Job(**said), lambda line: tell(line=line)))


def _own_output() -> IO[str]:
    """The standard output for this module alone; what others print goes to the standard error."""
    own = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return own


if __name__ == "__main__":
    main()
