"""Scans a mapping before and after a fork: prints what the parent, then the child has written.

Usage: python child_fork.py by_ioctl|by_bits
"""

import json
import mmap
import os
import sys
import tempfile

from pytest_potmodels.loading.mapped import written_pages

PAGES = 8


def pages(mapping: mmap.mmap) -> list[int]:
    scan = getattr(written_pages, sys.argv[1])
    found = scan(written_pages.address_of(mapping), len(mapping))
    page = mmap.PAGESIZE
    return [number for begin, end in found for number in range(begin // page, end // page)]


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


with tempfile.TemporaryFile() as file:
    file.write(bytes(PAGES * mmap.PAGESIZE))
    file.flush()
    mapping = mmap.mmap(file.fileno(), PAGES * mmap.PAGESIZE, access=mmap.ACCESS_COPY)
    mapping[mmap.PAGESIZE] = 1
    say(json.dumps(pages(mapping)))
    child = os.fork()
    if child == 0:
        mapping[3 * mmap.PAGESIZE] = 1
        say(json.dumps(pages(mapping)))
        os._exit(0)
    os.waitpid(child, 0)
    say(json.dumps(pages(mapping)))
