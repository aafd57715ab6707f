"""Reads the processor that an ELF file is for."""

from wwspec_contracts.errors import WWSpecError

MACHINES = {0x03: "x86", 0x28: "arm", 0x3E: "x86_64", 0xB7: "aarch64"}
"""Processors by the field e_machine."""

_HEADER = 20
"""Bytes of the header up to e_machine, which are the same for 32 and 64 bits."""


class ElfError(WWSpecError):
    """A file is no ELF file, or a damaged one."""


def machine(head: bytes) -> str:
    """Return the processor that a file is for.

    Args:
        head: At least its first 20 bytes.

    Raises:
        ElfError: It is no ELF file.
    """
    if len(head) < _HEADER or head[:4] != b"\x7fELF" or head[4] not in (1, 2) or head[5] not in (1, 2):
        raise ElfError("it is no library for Linux (ELF)")
    number = int.from_bytes(head[18:20], "big" if head[5] == 2 else "little")
    return MACHINES.get(number, f"processor {number}")
