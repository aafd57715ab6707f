"""Takes away what Linux alone has, from every Python whose search path (PYTHONPATH) begins with this folder."""

import os
import select
import sys
import time

LINUX_ONLY = {
    os: (
        *("copy_file_range", "eventfd", "fdatasync", "getrandom", "getxattr", "listxattr", "memfd_create", "pidfd_open"),
        *("pipe2", "posix_fadvise", "posix_fallocate", "sched_getaffinity", "sched_setaffinity", "setxattr", "splice"),
    ),
    select: ("epoll",),
    time: ("CLOCK_BOOTTIME",),
}
"""What macOS lacks; of those that the oldest supported Python has."""


def refuse(event: str, arguments: tuple[object, ...]) -> None:
    """Let no file or folder of /proc be opened."""
    if event in {"open", "os.listdir", "os.scandir"} and str(arguments[0]).startswith("/proc"):
        raise FileNotFoundError(2, "No such file or directory", arguments[0])


for module, names in LINUX_ONLY.items():
    for name in names:
        delattr(module, name)
sys.addaudithook(refuse)
