"""A canvas for boxes, texts and arrows, written as SVG.

Text stays text, in the fonts of the reader's system. Lines are broken by widths that are estimated on the wide side, so
that no font makes a text leave its box. In a text, `code` between backquotes has the font of code.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from xml.sax.saxutils import escape

__all__ = ["GAP", "PAD", "THEMES", "WIDTH", "Canvas", "Paint", "Theme"]

WIDTH = 440
"""Of every picture, in its own units; small, so that it can be read on a phone."""
SCALE = 1.2
"""How much larger it is shown where there is room."""
PAD = 9
GAP = 16
"""Between two boxes, when an arrow connects them."""
SIZE, SMALL = 14, 13
LINE = 1.36
"""Height of a line, in sizes of its font."""

_SANS = "system-ui,-apple-system,'Segoe UI','PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif"
_MONO = "ui-monospace,'Cascadia Mono',Menlo,Consolas,'Noto Sans Mono CJK SC',monospace"
_CODE = 0.92
"""Size of code, in sizes of the text around it."""


class Paint(NamedTuple):
    """The colours of one kind of box."""

    fill: str
    edge: str


class Theme(NamedTuple):
    """The colours of a picture."""

    paper: str
    ink: str
    faint: str
    line: str
    kinds: Mapping[str, Paint]


THEMES: Mapping[str, Theme] = {
    "light": Theme(
        paper="#ffffff",
        ink="#1f2328",
        faint="#57606a",
        line="#6e7781",
        kinds={
            "app": Paint("#ddf4ff", "#0969da"),
            "wecom": Paint("#dafbe1", "#1a7f37"),
            "program": Paint("#f3ecff", "#8250df"),
            "store": Paint("#fff4d6", "#9a6700"),
            "loss": Paint("#fff1f0", "#cf222e"),
            "plain": Paint("#f6f8fa", "#8c959f"),
        },
    ),
    "dark": Theme(
        paper="#161b22",
        ink="#e6edf3",
        faint="#a9b3bf",
        line="#8b949e",
        kinds={
            "app": Paint("#10274a", "#4493f8"),
            "wecom": Paint("#12301f", "#3fb950"),
            "program": Paint("#2a2142", "#a371f7"),
            "store": Paint("#362a10", "#d29922"),
            "loss": Paint("#381a1c", "#f85149"),
            "plain": Paint("#21262d", "#6e7681"),
        },
    ),
}


class _Piece(NamedTuple):
    """What is never broken: a word, a piece of code, a Chinese character, a space."""

    text: str
    is_code: bool


_PIECES = re.compile(r"`([^`]+)`|([\u2e80-\u9fff\uff00-\uffef“”])|( +)|([^`\u2e80-\u9fff\uff00-\uffef“” ]+)")
_CLOSING, _OPENING = "，。：；）、？！”", "（“"
"""Never the first of a line; never the last."""


def _width(piece: _Piece, size: float, bold: bool) -> float:
    if piece.is_code:
        return len(piece.text) * size * _CODE * 0.62
    return math.fsum(_advance(letter) for letter in piece.text) * size * (1.08 if bold else 1.0)


def _advance(letter: str) -> float:
    if letter >= "\u2e80" or letter in "“”":
        return 1.0
    if letter in " .,:;'|!()[]/-ijlt":
        return 0.4
    return 0.78 if letter.isupper() or letter in "mw" else 0.63


def _lines(text: str, width: float, size: float, bold: bool) -> Iterator[list[_Piece]]:
    """Break a text into lines.

    Raises:
        ValueError: Something of it fits no line.
    """
    for paragraph in text.split("\n"):
        line: list[_Piece] = []
        used = 0.0
        for found in _PIECES.finditer(paragraph):
            piece = _Piece(found[1] or found[0], found[1] is not None)
            needed = _width(piece, size, bold)
            if needed > width:
                raise ValueError(f"{piece.text!r} does not fit {width:.0f} units")
            if used + needed > width and piece.text not in _CLOSING:
                carried = [line.pop()] if line and line[-1].text in _OPENING else []
                yield _trimmed(line)
                line, used = carried, size * len(carried)
            if line or piece.text.strip():
                line.append(piece)
                used += needed
        yield _trimmed(line)


def _trimmed(line: list[_Piece]) -> list[_Piece]:
    return line[:-1] if line and not line[-1].text.strip() else line


class Canvas:
    """One picture. The origin is at the top left; a caller gives the places, and learns where a thing ends.

    Args:
        theme: Its colours.
    """

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._parts: list[str] = []

    def box(
        self,
        kind: str,
        x: float,
        y: float,
        width: float,
        title: str = "",
        text: str = "",
        *,
        number: str = "",
        dashed: bool = False,
        least: float = 0.0,
    ) -> float:
        """Draw a box with a title, a text below it, and a number at its left; return the y of its lower edge.

        Args:
            kind: Names its colours.
            x: Of its left edge.
            y: Of its upper edge.
            width: Of the box.
            title: In bold.
            text: In smaller letters.
            number: Of the step.
            dashed: Whether its edge is dashed.
            least: Least height.
        """
        paint = self._theme.kinds[kind]
        place = len(self._parts)
        left = x + PAD + (22 if number else 0)
        inner = x + width - PAD - left
        bottom = y + PAD - 3
        if title:
            bottom = self.text(left, bottom, inner, title, size=SIZE, bold=True)
        if text:
            bottom = self.text(left, bottom + (1 if title else 0), inner, text)
        height = max(least, bottom + PAD - y)
        if number:
            self._badge(x + PAD + 7, y + PAD + 8, number, paint)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self._parts.insert(
            place,
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" fill="{paint.fill}"'
            f' stroke="{paint.edge}" stroke-width="1.2"{dash}/>',
        )
        return y + height

    def region(self, kind: str, x: float, y: float, width: float, bottom: float, title: str) -> None:
        """Draw a frame around what is drawn already, with a title at its top."""
        paint = self._theme.kinds[kind]
        self.text(x + PAD, y + 3, width - 2 * PAD, title, faint=True)
        frame = (
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{bottom - y:g}" rx="9" fill="none"'
            f' stroke="{paint.edge}" stroke-width="1.2" stroke-dasharray="2 4"/>'
        )
        self._parts.insert(0, frame)

    def text(
        self,
        x: float,
        y: float,
        width: float,
        text: str,
        *,
        size: float = SMALL,
        bold: bool = False,
        faint: bool = False,
        kind: str = "",
        center: bool = False,
        covers: bool = False,
    ) -> float:
        """Write a text into lines of a width, from an upper edge; return the y of its lower edge.

        Args:
            x: Of the left edge; with `center`, of the middle.
            y: Of the upper edge.
            width: Of the lines.
            text: What is written; a line break begins a new line.
            size: Of the letters.
            bold: Whether they are bold.
            faint: Whether their colour is the fainter one.
            kind: Names the colours whose edge the text has.
            center: Whether lines are centred.
            covers: Whether the text hides what is behind it.
        """
        colour = self._theme.kinds[kind].edge if kind else self._theme.faint if faint else self._theme.ink
        style = f'font-size="{size:g}" fill="{colour}"'
        style += ' font-weight="600"' if bold else ""
        style += ' text-anchor="middle"' if center else ""
        for line in _lines(text, width, size, bold):
            if covers:
                covered = math.fsum(_width(piece, size, bold) for piece in line)
                self._parts.append(
                    f'<rect x="{x - 3:g}" y="{y:g}" width="{covered + 4:g}" height="{size * LINE:g}"'
                    f' fill="{self._theme.paper}"/>'
                )
            self._parts.append(f'<text x="{x:g}" y="{y + size:g}" {style}>{_spans(line, size)}</text>')
            y += size * LINE
        return round(y, 2)

    def arrow(self, *points: tuple[float, float], kind: str = "", dashed: bool = False, both: bool = False) -> None:
        """Draw an arrow along points; the segments are horizontal or vertical.

        Args:
            points: At least two.
            kind: Names its colour.
            dashed: As an answer is.
            both: Whether it has a head at both ends.
        """
        colour = self._theme.kinds[kind].edge if kind else self._theme.line
        path = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self._parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.6"{dash}/>')
        self._head(points[-2], points[-1], colour)
        if both:
            self._head(points[1], points[0], colour)

    def line(self, x: float, top: float, bottom: float, kind: str = "", width: float = 1.2) -> None:
        """Draw a vertical line behind all else."""
        colour = self._theme.kinds[kind].edge if kind else self._theme.line
        dash = ' stroke-dasharray="2 4"' if width < 2 else ""
        self._parts.insert(
            0, f'<path d="M{x:g} {top:g}L{x:g} {bottom:g}" stroke="{colour}" stroke-width="{width:g}"{dash}/>'
        )

    def step(self, x: float, y: float, number: str, kind: str) -> None:
        """Write the number of a step, in a filled shape whose left edge and middle are given."""
        edge = self._theme.kinds[kind].edge
        width = 12 + 8 * len(number)
        self._parts.append(f'<rect x="{x:g}" y="{y - 10:g}" width="{width}" height="20" rx="10" fill="{edge}"/>')
        self._parts.append(
            f'<text x="{x + width / 2:g}" y="{y + 4.5:g}" font-size="12.5" font-weight="600" text-anchor="middle"'
            f' fill="{self._theme.paper}">{number}</text>'
        )

    def svg(self, bottom: float, title: str) -> str:
        """Return the picture as the text of a file.

        Args:
            bottom: The y at which its content ends.
            title: Says what it shows.
        """
        height = round(bottom + 10, 1)
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH * SCALE:g}" height="{height * SCALE:g}"'
                f' viewBox="0 0 {WIDTH} {height:g}" role="img">',
                f"<title>{escape(title)}</title>",
                f"<style>text{{font-family:{_SANS}}}.c{{font-family:{_MONO}}}</style>",
                f'<rect width="{WIDTH}" height="{height:g}" rx="8" fill="{self._theme.paper}"/>',
                *self._parts,
                "</svg>\n",
            ]
        )

    def _badge(self, x: float, y: float, number: str, paint: Paint) -> None:
        self._parts.append(f'<circle cx="{x:g}" cy="{y:g}" r="9.5" fill="{paint.edge}"/>')
        self._parts.append(
            f'<text x="{x:g}" y="{y + 4.3:g}" font-size="12" font-weight="600" text-anchor="middle"'
            f' fill="{self._theme.paper}">{number}</text>'
        )

    def _head(self, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
        x, y = end
        if start[0] == x:
            back = -7 if y > start[1] else 7
            points = f"{x:g},{y:g} {x - 4.5:g},{y + back:g} {x + 4.5:g},{y + back:g}"
        else:
            back = -7 if x > start[0] else 7
            points = f"{x:g},{y:g} {x + back:g},{y - 4.5:g} {x + back:g},{y + 4.5:g}"
        self._parts.append(f'<polygon points="{points}" fill="{colour}"/>')


def _spans(line: list[_Piece], size: float) -> str:
    """Return a line as SVG, with code in spans of its own."""
    text = ""
    for piece in line:
        if piece.is_code:
            text += f'<tspan class="c" font-size="{round(size * _CODE, 2):g}">{escape(piece.text)}</tspan>'
        else:
            text += escape(piece.text)
    return text
