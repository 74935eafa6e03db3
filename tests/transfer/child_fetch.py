"""A process that fetches files: arguments are a stage and a JSON list of (path, url, size, sha256).

`--limit BYTES` caps the size of any file that it may write, as a full disk would.
"""

import json
import sys
from pathlib import Path, PurePosixPath

from pytest_potmodels.artifacts import RemoteFile
from pytest_potmodels.digests import Digest
from pytest_potmodels.errors import PotModelsError
from pytest_potmodels.transfer import Deadline, Transfer, TransferPolicy

stage, listing, *rest = sys.argv[1:]
if rest:
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(rest[1]), int(rest[1])))
files = [
    RemoteFile(PurePosixPath(path), url, size, (Digest("sha256", sha256),))
    for path, url, size, sha256 in json.loads(listing)
]
try:
    Transfer(TransferPolicy(retries=2), token=lambda: None).fetch_all(
        files, Path(stage), Deadline(60)
    )
except PotModelsError as error:
    sys.stdout.write(f"{type(error).__name__}: {error}\n")
