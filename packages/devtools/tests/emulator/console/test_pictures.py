"""The pictures of README and docs."""

import re
import struct
from pathlib import Path

from tests.support.apps import ROOT

FOLDER = ROOT / "docs" / "pictures" / "console"


def size(picture: Path) -> tuple[int, ...]:
    """Return the width and height of a PNG file."""
    head = picture.read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    return struct.unpack(">II", head[16:])


def test_the_pages_show_pictures_that_are_there_and_all_of_them() -> None:
    shown = set()
    for page in (*ROOT.glob("README*.md"), *(ROOT / "docs").rglob("*.md")):
        shown |= {
            (page.parent / name).resolve()
            for name in re.findall(r'(?:src|srcset)="([^"]+\.png)"', page.read_text("utf-8"))
        }
    assert shown == set(FOLDER.glob("*.png"))
    assert {size(picture) for picture in shown} == {(1280, 800)}
