"""Writes the figures of README and `docs/`, in both languages: `python -m benchmarks.pages [--check]`.

It measures nothing. A page has them between the comments `<!-- figures: NAME -->` and `<!-- end -->`, and they come
from `benchmarks/results/`. The text around them is left alone. `scripts/bench --report` does this as well.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import speed
from benchmarks.figures import RESULTS, Report, read_reports
from benchmarks.machines import tables as machines
from benchmarks.scaling import cores
from benchmarks.tables import filled
from scripts.reference.text import Say

__all__ = ["BLOCKS", "pages", "renewed"]

ROOT = RESULTS.parents[1]
PAGES = {
    "en": ("README.md", "docs/en/explanation/scale.md"),
    "zh": ("README.zh-CN.md", "docs/zh/explanation/scale.md"),
}
"""Language -> the pages with figures."""
BLOCKS: dict[str, Callable[[Mapping[str, Report], Say], str]] = {
    "cores": cores,
    "deployed": machines.deployed,
    "events": speed.events,
    "needed": machines.needed,
    "network": speed.network,
    "rates": speed.rates,
    "ways": machines.ways,
}
"""What stands under each name."""


def renewed(page: str, reports: Mapping[str, Report], language: str) -> str:
    """Return a page with the figures of these reports.

    Raises:
        KeyError: It names figures that nothing makes.
    """
    say = Say(language)
    return filled(page, lambda name: BLOCKS[name](reports, say))


def pages(reports: Mapping[str, Report]) -> dict[Path, str]:
    """Return the pages with the figures of these reports, by their files."""
    found = ((language, ROOT / page) for language, names in PAGES.items() for page in names)
    return {path: renewed(path.read_text("utf-8"), reports, language) for language, path in found}


def main() -> int:
    """Write or check the pages."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 when a page differs")
    check = parser.parse_args().check
    stale = {path: text for path, text in pages(read_reports(RESULTS)).items() if path.read_text("utf-8") != text}
    for path, text in stale.items():
        sys.stdout.write(f"{path.relative_to(ROOT)}{' is stale' if check else ''}\n")
        if not check:
            path.write_text(text, "utf-8")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
