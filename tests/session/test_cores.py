"""The machine's cores, less what the affinity mask and control groups withhold."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_potmodels.session.cores import quota, usable_cores

NONE = float("inf")


def tree(folder: Path, membership: str, files: dict[str, str]) -> float:
    """The quota where the kernel shows these files."""
    for name, text in files.items():
        path = folder / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "membership").write_text(membership)
    return quota(folder / "cgroup", folder / "membership")


@pytest.mark.parametrize(("membership", "files", "cores"), [
    ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
    ("0::/\n", {"cpu.max": "max 100000\n"}, NONE),
    ("0::/\n", {}, NONE),
    # The narrowest of a nest of groups binds.
    ("0::/a/b\n", {"a/b/cpu.max": "max 100000", "a/cpu.max": "200000 100000",
                   "cpu.max": "400000 100000"}, 2.0),
    # In a container the kernel may give the host's path, and show the container's group at the top.
    ("0::/docker/1234\n", {"cpu.max": "300000 100000"}, 3.0),
    # Groups of the first version, one tree for each controller.
    ("3:cpuset:/x\n2:cpu,cpuacct:/x\n",
     {"cpu,cpuacct/x/cpu.cfs_quota_us": "50000\n", "cpu,cpuacct/x/cpu.cfs_period_us": "100000\n"},
     0.5),
    ("2:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, NONE),
    ("4:memory:/x\n", {"memory/x/cpu.cfs_quota_us": "50000", "memory/x/cpu.cfs_period_us": "9"},
     NONE),
])  # fmt: skip
def test_the_quota_is_that_of_the_narrowest_group(
    tmp_path: Path, membership: str, files: dict[str, str], cores: float
) -> None:
    assert tree(tmp_path, membership, files) == cores


def test_there_is_no_quota_where_there_are_no_control_groups(tmp_path: Path) -> None:
    assert quota(tmp_path / "nothing", tmp_path / "nowhere") == NONE


def test_this_machine_has_a_core_and_not_more_than_it_says() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="masks are of Linux")
def test_the_affinity_mask_counts() -> None:
    code = """
import os
from pytest_potmodels.session.cores import usable_cores
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
print(usable_cores())
"""
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "1"
