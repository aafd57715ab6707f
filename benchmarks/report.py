"""Rewrites the figures of `benchmarks/README.md` and of `docs/`, and the plots in `docs/pictures/plots/`.

`scripts/bench --report [FOLDER]`; they come from the JSON of a run, in `benchmarks/results/` by default. Figures stand
between the comments `<!-- figures: NAME -->` and `<!-- end -->`, and are never typed by hand. The text around them is
left alone.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from benchmarks.figures import REPEATED, RESULTS, Report, read_reports
from benchmarks.pages import pages
from benchmarks.plots import draw
from benchmarks.tables import filled, markdown
from benchmarks.targets import targets_table

HERE = Path(__file__).parent
PAGE = HERE / "README.md"
PLOTS = HERE.parent / "docs" / "pictures" / "plots"
TARGETS = "targets"


def renewed(page: str, reports: Mapping[str, Report], repeated: Mapping[str, Report] | None = None) -> str:
    """Return a page with the figures of these reports; a block without a report keeps what it has."""

    def figures(name: str) -> str | None:
        if name == TARGETS:
            return targets_table(reports, repeated or {})
        return markdown(reports[name]) if name in reports else None

    return filled(page, figures)


def main() -> None:
    """Rewrite the pages, then draw the plots."""
    parser = argparse.ArgumentParser(prog="scripts/bench --report", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=RESULTS)
    options = parser.parse_args()
    reports = read_reports(options.folder)
    if not reports:
        parser.error(f"{options.folder} holds no JSON; run scripts/bench --all --json-dir {options.folder} first")
    PAGE.write_text(renewed(PAGE.read_text(), reports, read_reports(options.folder / REPEATED.name)))
    for path, text in pages(reports).items():
        path.write_text(text, "utf-8")
        sys.stdout.write(f"{path.relative_to(HERE.parent)}\n")
    for path in draw(reports, PLOTS):
        sys.stdout.write(f"{path.relative_to(HERE.parent)}\n")
    sys.stdout.write(f"{PAGE.relative_to(HERE.parent)}\n")


if __name__ == "__main__":
    main()
