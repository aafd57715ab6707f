"""What the checks of a tar found, one line for each, and the size of its parts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from wwspec_contracts.support.printable import printable
from wwspec_devtools.image.archive import Archive
from wwspec_devtools.image.tar import MemberKind

_PARTS = {
    "base": "all outside of /app",
    "python": "/app/.venv",
    "application": "the rest of /app",
    "sdk": "/app/sdk",
    "other": "/app/var",
}
"""The parts of an image, and where each is."""


class State(StrEnum):
    """What a check found."""

    OK = "ok"
    FAULT = "fault"
    """The zone would not take the image or not start it; the text names the fix."""


class Finding(NamedTuple):
    """One line."""

    state: State
    check: str
    text: str


@dataclass(frozen=True)
class Inspection:
    """The findings about one tar, and the bytes of each part of the image."""

    findings: Sequence[Finding]
    sizes: dict[str, int]

    @property
    def has_fault(self) -> bool:
        """Whether a check found a fault."""
        return any(each.state is State.FAULT for each in self.findings)

    def lines(self) -> list[str]:
        """Return the inspection as text."""
        rows = [f"{each.state:<5}  {each.check:<8}  {printable(each.text)}" for each in self.findings]
        if self.sizes:
            parts = ", ".join(f"{part} {_shown(size)} ({_PARTS[part]})" for part, size in self.sizes.items())
            rows.append(f"{State.OK:<5}  {'size':<8}  {_shown(sum(self.sizes.values()))}: {parts}")
        return rows

    def document(self) -> dict[str, Any]:
        """Return the inspection as values for JSON, with sizes in bytes."""
        return {
            "ok": not self.has_fault,
            "findings": [
                {"state": each.state.value, "check": each.check, "text": printable(each.text)} for each in self.findings
            ],
            "sizes": self.sizes,
        }


def _shown(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def sizes(archive: Archive) -> dict[str, int]:
    """Return the bytes of the files of each part."""
    total: Counter[str] = Counter(dict.fromkeys(_PARTS, 0))
    places = {".venv": "python", "sdk": "sdk", "var": "other"}
    for path, member in archive.members.items():
        if member.kind is MemberKind.FILE:
            top, _, rest = path.partition("/")
            part = places.get(rest.partition("/")[0], "application") if top == "app" else "base"
            total[part] += member.size
    return dict(total)
