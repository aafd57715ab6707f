"""Writes the diagrams of the documentation, for each language and for light and dark pages.

usage: python -m scripts.pictures [--check]    with --check it writes nothing and exits with 1 when a file differs
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from scripts.pictures import call, deployment, flow, promises
from scripts.pictures.canvas import THEMES, Canvas
from scripts.reference.text import Say

__all__ = ["FOLDER", "PICTURES", "drawn"]

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "pictures" / "diagrams"

Draw = Callable[[Canvas, Say], float]
PICTURES: Mapping[str, tuple[Draw, str, str]] = {
    **flow.PICTURES,
    **call.PICTURES,
    **promises.PICTURES,
    **deployment.PICTURES,
}
"""By name: what draws a picture, and what it shows, in English and Chinese. The pages have that as their `alt`."""


def drawn() -> dict[Path, str]:
    """Return the text of every picture, by its file."""
    files = {}
    for name, (draw, english, chinese) in PICTURES.items():
        for language in ("en", "zh"):
            say = Say(language)
            for theme, colours in THEMES.items():
                canvas = Canvas(colours)
                bottom = draw(canvas, say)
                files[FOLDER / f"{name}-{language}-{theme}.svg"] = canvas.svg(bottom, say(english, chinese))
    return files


def main() -> int:
    """Write or check the pictures."""
    pictures = drawn()
    stale = [path for path, text in pictures.items() if not path.exists() or path.read_text("utf-8") != text]
    unknown = sorted(set(FOLDER.glob("*")) - set(pictures))
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not what scripts/pictures draws: run scripts/fix", file=sys.stderr)
        for path in unknown:
            print(f"{path.relative_to(ROOT)} is drawn by nothing: delete it", file=sys.stderr)
        return 1 if stale or unknown else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in stale:
        path.write_text(pictures[path], "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
