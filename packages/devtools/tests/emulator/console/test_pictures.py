"""The pictures of README and docs."""

import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.apps import ROOT
from tests.support.tools import tool

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


@pytest.mark.nightly  # half a minute: a browser takes each of them in turn
def test_the_script_takes_every_picture_that_is_shown(tmp_path: Path) -> None:
    tool("chromium")
    script = [sys.executable, str(ROOT / "scripts" / "screenshots.py"), str(tmp_path)]
    subprocess.run(script, cwd=ROOT, check=True, timeout=600)
    assert {each.name for each in tmp_path.iterdir()} == {each.name for each in FOLDER.glob("*.png")}
    assert all(size(each) == (1280, 800) and each.stat().st_size > 10_000 for each in tmp_path.iterdir())
