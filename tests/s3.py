"""A real S3 server in a process of its own, on this machine's loopback.

with S3Server() as s3:
    environ = s3.environ()           # for clients that read the usual variables of AWS
    s3.make("bucket")
    s3.files.cat_file("bucket/key")
"""

import importlib.util
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import fsspec
import pytest

#: For the few tests that are to meet S3 in every run; the others do so in the long one.
both_remotes = pytest.mark.parametrize("remote", ["a folder", "S3"], indirect=True)
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG"


def require_s3() -> None:
    """Skip where no client or no server of S3 is installed."""
    for package in ("s3fs", "moto", "flask", "flask_cors"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed: no S3 to test against")


class S3Server:
    """`python -m moto.server`; it keeps its buckets in memory."""

    def __enter__(self) -> Self:
        # A file, because it logs each request, and a pipe that nobody empties would stop it.
        self._folder = tempfile.TemporaryDirectory(prefix="s3-")
        self._log = Path(self._folder.name) / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        end = time.monotonic() + 60
        while not (found := re.search(rb"http://127\.0\.0\.1:\d+", self._said())):
            assert self._process.poll() is None, self._said()
            assert time.monotonic() < end, self._said()
            time.sleep(0.02)
        self.url = found[0].decode()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()

    def _said(self) -> bytes:
        return self._log.read_bytes()

    def environ(self) -> Mapping[str, str]:
        """Variables by which clients find it, and nothing of this machine's own."""
        return {**offline_environ(), "AWS_ENDPOINT_URL_S3": self.url}

    @property
    def files(self) -> Any:
        """The server's own view, through a client of its own."""
        import s3fs  # noqa: PLC0415 - only where there is one

        return s3fs.S3FileSystem(
            key=KEY, secret=SECRET, endpoint_url=self.url, use_listings_cache=False
        )

    def make(self, bucket: str) -> str:
        """A new bucket, as a URL."""
        self.files.mkdir(bucket)
        return f"s3://{bucket}"


def forget_clients() -> None:
    """Have the next client read the variables anew; fsspec keeps one per set of options."""
    # Not through s3fs itself: a pytest run inside of a test imports that anew, and fsspec goes on
    # with the class that it has.
    fsspec.get_filesystem_class("s3").clear_instance_cache()


def offline_environ() -> dict[str, str]:
    """Keys, a region, and no look at this machine's own configuration or a cloud's metadata."""
    return {
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nowhere/config",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere/credentials",
    }
