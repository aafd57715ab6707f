"""Reading ELF files: real ones of this machine, small ones with known contents, and any bytes."""

import os
import platform
import sys
from pathlib import Path

from hypothesis import example, given, strategies as st

from tests.support.elf import AARCH64, library
from tests.support.skips import only_where
from wwspec_devtools.image.elf import parse
from wwspec_router.process.elf import ElfError, machine

SAMPLE = library(
    needed=["libm.so.6", "libc.so.6"],
    wants={"libm.so.6": ["GLIBC_2.29"], "libc.so.6": ["GLIBC_2.17", "GLIBC_2.34"]},
    gives=["OWN_1", "OWN_2"],
)


def test_the_libc_of_this_machine_gives_the_version_that_the_system_names() -> None:
    only_where(sys.platform == "linux", "/proc names the libraries of a process")
    lines = Path("/proc/self/maps").read_text("utf-8").splitlines()
    libc = parse(next(Path(line.split()[-1]) for line in lines if line.endswith("libc.so.6")).read_bytes())
    name, _, version = str(os.confstr("CS_GNU_LIBC_VERSION")).partition(" ")
    assert libc.machine == platform.machine()
    assert name == "glibc"
    assert f"GLIBC_{version}" in libc.gives


def test_the_processor_and_what_a_library_wants_and_gives_are_read() -> None:
    read = parse(SAMPLE)
    assert read.machine == "x86_64"
    assert read.needed == ("libm.so.6", "libc.so.6")
    assert read.wants == {"libm.so.6": {"GLIBC_2.29"}, "libc.so.6": {"GLIBC_2.17", "GLIBC_2.34"}}
    assert read.gives == {"OWN_1", "OWN_2"}
    assert machine(library(machine=AARCH64)[:20]) == "aarch64"
    assert machine(library(machine=0x1234)[:20]) == "processor 4660"


def test_a_file_that_is_cut_off_is_refused_at_every_length() -> None:
    whole = parse(SAMPLE)
    for length in range(len(SAMPLE)):
        try:
            read = parse(SAMPLE[:length])
        except ElfError:
            continue
        assert read == whole  # only the mark of the table's end is missing


@given(st.lists(st.tuples(st.integers(6, len(SAMPLE) - 1), st.integers(0, 255)), max_size=12))
@example([(39, 128)])  # offsets above what an index can be
@example([(79, 128)])
def test_a_library_with_any_wrong_bytes_is_read_or_refused(changes: list[tuple[int, int]]) -> None:
    data = bytearray(SAMPLE)
    for place, value in changes:
        data[place] = value
    try:
        parse(bytes(data))
    except ElfError as error:
        assert str(error)
