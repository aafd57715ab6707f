"""Rewrites the figures of `benchmarks/README.md` and of `docs/`, and the plots in `docs/pictures/plots/`.

`scripts/bench --report [FOLDER]`; they come from the JSON of a run, in `benchmarks/results/` by default. Figures stand
between the comments `<!-- figures: NAME -->` and `<!-- end -->`, and are never typed by hand. The text around them is
left alone.
"""

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from benchmarks.figures import Report
from benchmarks.tables import markdown
from benchmarks.targets import targets_table

HERE = Path(__file__).parent
PAGE = HERE / "README.md"
RESULTS = HERE / "results"
PLOTS = HERE.parent / "docs" / "pictures" / "plots"
TARGETS = "targets"

_BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def read_reports(folder: Path) -> dict[str, Report]:
    """Read the reports of a folder, by the benchmarks' names."""
    reports = [msgspec.json.decode(path.read_bytes(), type=Report) for path in sorted(folder.glob("*.json"))]
    return {report.benchmark: report for report in reports}


def renewed(page: str, reports: Mapping[str, Report]) -> str:
    """Return a page with the figures of these reports; a block without a report keeps what it has."""

    def block(found: re.Match[str]) -> str:
        name = found[2]
        if name == TARGETS:
            return f"{found[1]}\n{targets_table(reports)}\n\n{found[3]}"
        return f"{found[1]}\n{markdown(reports[name])}\n\n{found[3]}" if name in reports else found[0]

    return _BLOCK.sub(block, page)


def main() -> None:
    """Rewrite the pages, then draw the plots."""
    parser = argparse.ArgumentParser(prog="scripts/bench --report", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=RESULTS)
    options = parser.parse_args()
    reports = read_reports(options.folder)
    if not reports:
        parser.error(f"{options.folder} holds no JSON; run scripts/bench --all --json-dir {options.folder} first")
    PAGE.write_text(renewed(PAGE.read_text(), reports))
    from benchmarks.pages import pages  # it imports this module
    from benchmarks.plots import draw

    for path, text in pages(reports).items():
        path.write_text(text, "utf-8")
        sys.stdout.write(f"{path.relative_to(HERE.parent)}\n")
    for path in draw(reports, PLOTS):
        sys.stdout.write(f"{path.relative_to(HERE.parent)}\n")
    sys.stdout.write(f"{PAGE.relative_to(HERE.parent)}\n")


if __name__ == "__main__":
    main()
