"""Figures, tables, targets and the model of cores, made of samples that are known."""

import re
from pathlib import Path

from benchmarks import report as pages
from benchmarks.__main__ import names
from benchmarks.figures import REPEATED, RESULTS, Report, Samples, read_reports
from benchmarks.plots import PLOTS, draw
from benchmarks.report import renewed
from benchmarks.scaling import CORES, SIZES, TWO, cores
from benchmarks.targets import TARGETS, Target, outcome
from scripts.reference.text import Say
from tests.support.tables import for_each


def samples() -> Samples:
    found = Samples("limit-1", connections=16)
    for limit, ours in ((100.0, 50.0), (200.0, 120.0), (10.0, 7.0)):
        found.add("3 KB", "limit-1", "rate", "calls/s", limit)
        found.add("3 KB", "program", "rate", "calls/s", ours)
    return found


def made(found: Samples, name: str = "exchange") -> Report:
    return found.report(name, "How fast?", quick=False)


def test_ratio_is_taken_round_by_round_and_the_reference_has_none() -> None:
    figure = made(samples()).taken("3 KB", "program", "rate")
    assert (figure.median, figure.ratio, figure.difference) == (50.0, 0.6, -50.0)
    assert (figure.ratio_low, figure.ratio_high) == (0.55, 0.65)
    assert figure.reference == "limit-1"
    figure = made(samples()).taken("3 KB", "limit-1", "rate")
    assert (figure.median, figure.ratio, figure.reference) == (100.0, None, None)


@for_each([(">= 0.5", "x", True), (">= 0.61", "x", False), ("<= -50", "calls/s", True), ("<= -60", "calls/s", False)])
def test_target_judges_ratio_or_difference(bound: str, unit: str, enough: bool) -> None:
    target = Target("exchange", "3 KB", "program", "rate", "limit-1", bound, unit)
    found = outcome(target, made(samples()))
    assert found is not None
    assert found[1] is enough


def test_page_is_renewed_between_its_marks_only() -> None:
    page = "a\n<!-- figures: exchange -->\nold\n<!-- end -->\nb\n<!-- figures: pool -->\nkept\n<!-- end -->\n"
    once = renewed(page, {"exchange": made(samples())})
    assert once.startswith("a\n<!-- figures: exchange -->\n")
    assert "old" not in once
    assert once.endswith("<!-- end -->\nb\n<!-- figures: pool -->\nkept\n<!-- end -->\n")
    assert renewed(once, {"exchange": made(samples())}) == once


def test_page_has_a_place_for_every_benchmark_and_shows_the_results_that_are_kept() -> None:
    page, reports = pages.PAGE.read_text(), read_reports(RESULTS)
    assert sorted(reports) == names()
    assert sorted(re.findall(r"<!-- figures: (\w+) -->", page)) == sorted([*names(), pages.TARGETS])
    assert renewed(page, reports, read_reports(REPEATED)) == page, "run scripts/bench --report"


def test_every_target_is_taken_by_a_full_run() -> None:
    reports, repeated = read_reports(RESULTS), read_reports(REPEATED)
    runs = {name: [report, *filter(None, [repeated.get(name)])] for name, report in reports.items()}
    assert [target for target in TARGETS if not any(outcome(target, run) for run in runs[target.benchmark])] == []


def test_plots_are_those_of_the_kept_figures_in_both_languages_and_on_both_grounds(tmp_path: Path) -> None:
    drawn = draw(read_reports(RESULTS), tmp_path)
    sides = [f"{language}-{theme}" for language in ("en", "zh") for theme in ("light", "dark")]
    assert [path.stem for path in drawn] == [f"{name}-{side}" for name in PLOTS for side in sides]
    assert all((pages.PLOTS / path.name).read_bytes() == path.read_bytes() for path in drawn), "scripts/bench --report"
    assert {path.name for path in pages.PLOTS.iterdir()} == {path.name for path in drawn}


def rows(tables: str) -> dict[str, list[str]]:
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in tables.splitlines() if line]
    return {first: rest for first, *rest in lines}


def test_the_tables_of_cores_say_what_was_measured_and_what_follows() -> None:
    exchange, stores = Samples("limit-1"), Samples("bare")
    for size in SIZES:
        exchange.add(size, "program", "rate", "calls/s", 1000.0)
        exchange.add(f"{size}, free", "program", "rate", "calls/s", 900.0)
        exchange.add(f"{size}, free", TWO, "rate", "calls/s", 1350.0)
    stores.add("event intake, SQLite, threads: 16", "program", "rate", "calls/s", 3500.0)
    stores.add("event intake, Redis, threads: 16", "bare", "rate", "calls/s", 100.0)
    reports = {"exchange": made(exchange), "stores": made(stores, "stores")}
    found = rows(cores(reports, Say("en")))
    assert found["60 KB"] == ["1,000 µs", "1,000/s", "900/s", "1,350/s", "1.50"]
    assert found["call, 300 KB"][:-1] == [f"{1000 * each:,}" for each in CORES]
    assert found["call, 300 KB"][-1] == "10 Gbit/s, with 3 cores"  # 3.2 Gbit/s each
    assert found["event, SQLite"] == ["1,000", "3,500", "3,500", "3,500", "the file, with 4 cores"]
    assert found["event, Redis"][-1] == "the server, with 1 core"
