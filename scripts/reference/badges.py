"""The badges of README, one SVG a language: figures that are counted or measured here, drawn without any server."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from scripts.reference.contracts import apis
from scripts.reference.events import events
from scripts.reference.text import Say

__all__ = ["FILE", "picture"]

FILE = "pictures/badges-{language}.svg"
"""Below `docs/`."""

_ROOT = Path(__file__).resolve().parents[2]
_HEIGHT, _GAP, _PADDING = 20, 6, 7
_MOST = 370
"""Pixels of a row: the picture is not shrunk in the window of a phone, where nobody could read it."""
_WIDE = 11.0
"""Pixels of a Chinese character in the badge's font size; of any other one on average, 6.3."""


def picture(say: Say) -> str:
    """Return the SVG."""
    drawn, left, top, width = [], 0, 0, 0
    for name, value in _badges(say):
        first, second = _width(name), _width(value)
        if left + first + second > _MOST:
            left, top = 0, top + _HEIGHT + _GAP
        drawn.append(
            f'<g transform="translate({left} {top})"><title>{escape(name)}: {escape(value)}</title>'
            f'<rect width="{first + second}" height="{_HEIGHT}" rx="3" fill="#2f7d5b"/>'
            f'<path d="M3 0h{first - 3}v{_HEIGHT}h-{first - 3}a3 3 0 0 1-3-3v-{_HEIGHT - 6}a3 3 0 0 1 3-3" '
            'fill="#4b5058"/>'
            f"{_text(name, first, 0)}{_text(value, second, first)}</g>"
        )
        left += first + second + _GAP
        width = max(width, left - _GAP)
    height = top + _HEIGHT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="Verdana,DejaVu Sans,Noto Sans CJK SC,sans-serif" font-size="11" fill="#fff" '
        'text-anchor="middle">\n' + "\n".join(drawn) + "\n</svg>\n"
    )


def _badges(say: Say) -> Iterator[tuple[str, str]]:
    project: Any = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))
    classifiers = " ".join(project["project"]["classifiers"])
    minors = [int(each) for each in re.findall(r"Python :: 3\.(\d+)", classifiers)]
    yield "Python", f"3.{min(minors)} – 3.{max(minors)}"
    yield say("SDK APIs", "SDK API"), str(len(apis()))
    yield say("events", "事件"), str(len(events()))
    yield say("coverage", "测试覆盖率"), f"≥ {project['tool']['coverage']['report']['fail_under']} %"
    results = json.loads((_ROOT / "benchmarks" / "results" / "exchange.json").read_text("utf-8"))
    [rate] = [
        each["median"]
        for each in results["figures"]
        if (each["case"], each["name"], each["metric"]) == ("3 KB", "program", "rate")
    ]
    yield say("calls/s a core", "单核每秒调用"), f"{rate // 1000:.0f},000"
    yield say("licence", "许可证"), project["project"]["license"]


def _width(text: str) -> int:
    return round(2 * _PADDING + sum(_WIDE if ord(each) > 0x2E7F else 6.3 for each in text))


def _text(text: str, width: int, left: int) -> str:
    inner = width - 2 * _PADDING
    return f'<text x="{left + width / 2:g}" y="14" textLength="{inner}">{escape(text)}</text>'
