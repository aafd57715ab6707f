"""How many cores a process may use: real files of cgroups, in the layouts of version 1 and 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.apps import write_files
from tests.support.skips import only_where
from tests.support.tables import for_each
from wwspec_router.process.cores import usable_cores


def version_2(folder: Path, path: str, quotas: dict[str, str]) -> Path:
    """A machine whose process is in the cgroup `path`; the files `cpu.max` of the folders that it sees."""
    files = {f"sys/fs/cgroup{each}/cpu.max": f"{quota}\n" for each, quota in quotas.items()}
    return write_files(folder, {"proc/self/cgroup": f"0::{path}\n", **files})


def version_1(folder: Path, path: str, quotas: dict[str, tuple[int, int]]) -> Path:
    """The same with quota and period in files of their own."""
    files = {"proc/self/cgroup": f"5:memory:/elsewhere\n4:cpu,cpuacct:{path}\n1:name=systemd:/elsewhere\n"}
    for each, (quota, period) in quotas.items():
        files[f"sys/fs/cgroup/cpu{each}/cpu.cfs_quota_us"] = f"{quota}\n"
        files[f"sys/fs/cgroup/cpu{each}/cpu.cfs_period_us"] = f"{period}\n"
    return write_files(folder, files)


@for_each(
    [("400000 100000", 4), ("250000 100000", 2), ("50000 100000", 1), ("150000 50000", 3), ("max 100000", 8)]
    + [("1600000 100000", 8), ("800000 100000", 8), ("", 8), ("soon", 8), ("100000 0", 8), ("-1 100000", 8)]
)
def test_a_container_of_version_2_has_the_whole_cores_of_its_quota(quota: str, number: int, tmp_path: Path) -> None:
    assert usable_cores(version_2(tmp_path, "/", {"": quota}), 8).number == number


@for_each([(400_000, 100_000, 4), (250_000, 100_000, 2), (10_000, 50_000, 1), (-1, 100_000, 8)])
def test_a_container_of_version_1_has_the_whole_cores_of_its_quota(
    quota: int, period: int, number: int, tmp_path: Path
) -> None:
    assert usable_cores(version_1(tmp_path, "/", {"": (quota, period)}), 8).number == number


def test_of_nested_groups_the_least_quota_counts_and_is_named(tmp_path: Path) -> None:
    quotas = {"/pods": "300000 100000", "/pods/one": "max 100000", "/pods/one/program": "600000 100000"}
    cores = usable_cores(version_2(tmp_path / "2", "/pods/one/program", quotas), 8)
    assert cores == (3, "/sys/fs/cgroup/pods/cpu.max grants 3 of 8 cores")
    older = {"/pods": (-1, 100_000), "/pods/one": (250_000, 100_000)}
    cores = usable_cores(version_1(tmp_path / "1", "/pods/one", older), 8)
    assert cores == (2, "/sys/fs/cgroup/cpu/pods/one/cpu.cfs_quota_us grants 2.5 of 8 cores")

    quotas = {"/pods/other": "100000 100000", "/pods/one/inner": "100000 100000", "/pods/one": "500000 100000"}
    assert usable_cores(version_2(tmp_path / "other", "/pods/one", quotas), 8).number == 5, "of others"


@pytest.mark.parametrize("path", ["/docker/abc", "/docker/abc/inner", "/../elsewhere", "/elsewhere"])
def test_a_container_that_sees_its_own_group_as_the_top_one_has_its_quota(tmp_path: Path, path: str) -> None:
    """As with Docker's `--cgroupns=host`, and for a process that was moved out of what it sees."""
    machine = version_2(tmp_path / "2", path, {"": "200000 100000"})
    assert usable_cores(machine, 8).number == 2
    machine = version_1(tmp_path / "1", path, {"": (300_000, 100_000)})
    assert usable_cores(machine, 8).number == 3


def test_both_versions_count_where_a_system_has_both(tmp_path: Path) -> None:
    machine = version_1(tmp_path, "/one", {"/one": (500_000, 100_000)})
    with (machine / "proc/self/cgroup").open("a") as file:
        file.write("0::/two\n")
    assert usable_cores(machine, 8).number == 5
    write_files(machine, {"sys/fs/cgroup/two/cpu.max": "400000 100000\n"})
    assert usable_cores(machine, 8) == (4, "/sys/fs/cgroup/two/cpu.max grants 4 of 8 cores")


def test_without_cgroups_the_mask_decides(tmp_path: Path) -> None:
    assert usable_cores(tmp_path, 1) == (1, "1 core in the affinity mask, and no cgroup grants less")
    garbage = {"proc/self/cgroup": "0::/\nnothing\n::\n"}
    assert usable_cores(write_files(tmp_path, garbage), 3).number == 3


def test_a_process_that_may_use_one_core_has_one() -> None:
    only_where(hasattr(os, "sched_setaffinity"), "the system has affinity masks")
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from wwspec_router.process.cores import usable_cores; print(usable_cores().number)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"
