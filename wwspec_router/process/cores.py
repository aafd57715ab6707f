"""How many processor cores this process may use: those of its affinity mask, within the quotas of its cgroups.

It does not know what they are used for.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from wwspec_contracts.support.printable import counted


class Cores(NamedTuple):
    """How many cores, and which limit says so."""

    number: int
    """At least 1. Of a quota only whole cores count: processes that wait for the rest of one all wait for it."""
    reason: str
    """Such as `2 cores in the affinity mask`."""


class _Quota(NamedTuple):
    cores: float
    file: str


def usable_cores(root: Path = Path("/"), masked: int | None = None) -> Cores:
    """Return how many cores this process may use.

    Linux limits them twice: by a mask of cores, and by processor time in each period, which containers get (`docker run
    --cpus`, Kubernetes' limits). The latter is read from cgroups of version 1 and 2, with those above them.

    Args:
        root: Where `/proc` and the cgroups are.
        masked: How many cores the mask has; None for that of this process.
    """
    mask = affinity()
    masked = (len(mask) or os.cpu_count() or 1) if masked is None else masked
    quotas = list(_quotas(root))
    if quotas and (least := min(quotas)).cores < masked:
        return Cores(max(1, int(least.cores)), f"{least.file} grants {least.cores:g} of {counted(masked, 'core')}")
    where = "in the affinity mask" if mask else "in this machine"
    return Cores(masked, f"{counted(masked, 'core')} {where}, and no cgroup grants less")


def affinity() -> set[int]:
    """Return the cores of this process's affinity mask; none on a system without one."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def _quotas(root: Path) -> Iterator[_Quota]:
    """Yield the quota of each cgroup that this process is in, from the innermost outwards.

    A container may see its own group as the top one, and the path of a group above that it does not see.
    """
    for line in _text(root / "proc/self/cgroup").splitlines():
        controllers, _, path = line.partition(":")[2].partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        top, inner = Path("/sys/fs/cgroup", "cpu" if controllers else ""), Path(path.removeprefix("/"))
        for each in (inner, *inner.parents) if ".." not in inner.parts else (Path(),):
            quota = _quota(root, top / each)
            if quota is not None:
                yield quota


def _quota(root: Path, folder: Path) -> _Quota | None:
    """Return the quota of one cgroup; None when it has none."""
    inside = root / folder.relative_to("/")
    if text := _text(inside / "cpu.max"):
        file, values = "cpu.max", text.split()
    else:
        file = "cpu.cfs_quota_us"
        values = [_text(inside / file).strip(), _text(inside / "cpu.cfs_period_us").strip()]
    try:
        granted, period = (int(each) for each in values)  # "max" and -1 mean no limit
    except ValueError:
        return None
    return _Quota(granted / period, str(folder / file)) if granted > 0 and period > 0 else None


def _text(path: Path) -> str:
    """Return what a file of the kernel holds; nothing when this system has no such file."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
