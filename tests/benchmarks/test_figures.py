"""Figures, tables and targets, made of samples that are known."""

import re
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from benchmarks import report as pages
from benchmarks.__main__ import names
from benchmarks.figures import REPEATED, RESULTS, Report, Samples, read_reports
from benchmarks.pairs import line
from benchmarks.plots import PLOTS, THEMES, Bar, Panel, Plot, draw, svg
from benchmarks.report import renewed
from benchmarks.sdk.wwspecapisdk import asked
from benchmarks.tables import markdown, number, text
from benchmarks.targets import TARGETS, Target, outcome, targets_table
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


def test_a_round_whose_reference_is_0_has_no_ratio() -> None:
    found = Samples("bare")
    for case, bare in (("some", (0.0, 4.0)), ("none", (0.0, 0.0))):
        for base in bare:
            found.add(case, "bare", "fetches", "", base)
            found.add(case, "program", "fetches", "", 2.0)
    report = made(found, "stores")
    some, none = (report.taken(case, "program", "fetches") for case in ("some", "none"))
    assert (some.ratio, none.ratio, none.difference) == (0.5, None, 2.0)
    assert outcome(Target("stores", "none", "program", "fetches", "bare", ">= 1"), report) is None
    key = ("none", "bare", "fetches")
    assert line(key, [none], [report.taken(*key)]) == "none | bare | fetches: 0 -> 2 , -"


def test_case_can_have_a_reference_of_its_own() -> None:
    found = samples()
    found.refer("growth", "10")
    found.add("growth", "10", "per call", "µs", 20.0)
    found.add("growth", "100", "per call", "µs", 21.0)
    figure = made(found).taken("growth", "100", "per call")
    assert (figure.reference, figure.ratio) == ("10", 1.05)


def test_a_report_survives_json_and_its_tables_show_median_ratio_and_quartiles() -> None:
    report = made(samples())
    assert msgspec.json.decode(msgspec.json.encode(report), type=Report) == report
    assert report.rounds == 3
    assert "| 3 KB | program | 50.0 = 0.60 (0.55-0.65) |" in markdown(report)
    assert "50.0 = 0.60 (0.55-0.65)" in text(report)
    assert "Connections: 16." in markdown(report)


def test_numbers_are_short() -> None:
    assert [number(each) for each in (12345.6, 45.67, 0.123)] == ["12,346", "45.7", "0.12"]


@for_each([(">= 0.5", "x", True), (">= 0.61", "x", False), ("<= -50", "calls/s", True), ("<= -60", "calls/s", False)])
def test_target_judges_ratio_or_difference(bound: str, unit: str, enough: bool) -> None:
    target = Target("exchange", "3 KB", "program", "rate", "limit-1", bound, unit)
    found = outcome(target, made(samples()))
    assert found is not None
    assert found[1] is enough


def test_target_without_a_reference_judges_the_figure_alone() -> None:
    for bound, enough in ((">= 50", True), ("<= 49", False)):
        target = Target("exchange", "3 KB", "program", "rate", "", bound, "calls/s")
        assert outcome(target, made(samples())) == ("50.0 (28.5 to 85.0)", enough)


def test_figure_without_a_bound_is_shown_and_not_judged() -> None:
    found = samples()
    found.add("60 KB", "limit-0", "rate", "calls/s", 100.0)
    found.add("60 KB", "program", "rate", "calls/s", 70.0)
    assert outcome(Target("exchange", "60 KB", "program", "rate", "limit-0", ""), made(found)) == (
        "0.70 (0.70 to 0.70)",
        None,
    )
    row = "| exchange | 60 KB | program: rate to limit-0 |  | 0.70 (0.70 to 0.70) |  |  |  |"
    assert row in targets_table({"exchange": made(found)}, {})


def test_every_figure_to_limit_1_is_told_to_limit_0_as_well() -> None:
    listed = {(each.benchmark, each.case, each.name, each.metric, each.reference) for each in TARGETS}
    beside = [(*key, reference) for *key, reference in listed if reference == "limit-1"]
    assert beside
    assert {(*key, "limit-0") for *key, _ in beside} <= listed


def test_target_without_figures_is_left_out() -> None:
    found = samples()
    assert outcome(Target("exchange", "3 KB", "program", "p99", "inline", "<= 1"), made(found)) is None
    table = targets_table({"exchange": made(found)}, {})
    assert "| exchange | 3 KB | program: rate to limit-1 | >= 1.2 | 0.60 (0.55 to 0.65) | **no** |  |  |" in table
    assert "60 KB" not in table


def test_a_repeated_run_stands_beside_the_first_and_says_when_and_where() -> None:
    again = samples()
    again.add("60 KB", "limit-1", "rate", "calls/s", 100.0)
    again.add("60 KB", "program", "rate", "calls/s", 95.0)
    table = targets_table({"exchange": made(samples())}, {"exchange": made(again)})
    reached = "0.60 (0.55 to 0.65) | **no**"
    assert f"| exchange | 3 KB | program: rate to limit-1 | >= 1.2 | {reached} | {reached} |" in table
    assert "| exchange | 60 KB | program: rate to limit-1 | >= 0.9 |  |  | 0.95 (0.95 to 0.95) | yes |" in table
    assert table.endswith(f"Repeated: exchange {made(again).date}, {made(again).machine}.")


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


def test_a_request_says_what_the_sdk_takes_for_it() -> None:
    assert asked('{"cursor":"wait 5"}') == ("wait", 5)
    assert asked('{"cursor": "work 20"}') == ("work", 20)
    assert asked('{"limit":200,"cursor":"compute 5"}') == ("compute", 5)
    assert asked('{"limit":200}') == asked('{"cursor":"page 2"}') == ("wait", 0)


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


def test_a_plot_is_well_formed_names_what_it_shows_and_draws_bars_in_proportion() -> None:
    bars = [Bar("a < b", 10.0, "10 µs", True), Bar("second", 5.0, "5 µs")]
    root = ElementTree.fromstring(svg(Plot("A & B", [Panel("time, µs", bars)]), THEMES["light"]))  # noqa: S314 - our own
    space = "{http://www.w3.org/2000/svg}"
    texts = [each.text for each in root.iter(f"{space}text")]
    assert texts == ["A & B", "time, µs", "a < b", "10 µs", "second", "5 µs"]
    first, second = (float(each.attrib["width"]) for each in root.iter(f"{space}rect"))
    assert first == pytest.approx(2 * second)
