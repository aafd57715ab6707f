"""The tutorial as a new user goes through it: in an empty folder, with the built wheel, block after block."""

import math
import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.apps import ROOT
from tests.support.pages import Block, blocks_of_page
from tests.support.tables import for_each
from tests.support.terminal import INSTALLED, Output, Terminals, terminals_in
from tests.support.waiting import DEADLINE, wait_until
from tests.support.zones import serve_zone
from wwspec_client.notify.models import Stage
from wwspec_client.stores import SqlitePendingStore
from wwspec_devtools.testing.zone import Zone

NAVIGATION = (ROOT / "scripts" / "website" / "mkdocs.yml").read_text("utf-8")
PAGES = [
    ROOT / "docs" / "en" / "tutorial" / f"{name}.md"
    for name in re.findall(r"^ +- tutorial/([\w-]+)\.md$", NAVIGATION, re.MULTILINE)
    if name != "index"
]
"""In the order in which a reader goes through them."""

ELSEWHERE = {
    **INSTALLED,  # tests/docs/test_readme.py
    "wwspec image": "",  # tests/packaging/test_real_image.py, which needs root or user namespaces and a Debian
    "wwspec image --check dist/zone-image.tar": "",  # the same, and packages/devtools/tests/image
}
"""Commands that are not run here, and what is run in their place."""

PORTS = ("8080", "8090", "8000")
"""Those of the pages: program, emulator, app."""


def test_each_of_five_pages_says_what_is_needed_and_what_is_next() -> None:
    assert len(PAGES) == 5
    for page in PAGES:
        text = page.read_text("utf-8")
        for part in ("After this step", "**You need**", "## In production", "**Next:**"):
            assert part in text, (page, part)


@for_each(
    [
        ("1 passed in ...", "1 passed in 0.2s", True),
        ("1 passed in ...", "2 passed in 0.2s", False),
        ("a\n...\nd", "a\nb\nc\nd", True),
        ("a\n...\nd", "a\nd", True),
        ("a\n...\nd", "a\nb", False),
        ("a ... c", "a\nb c", False),
        ("at 1795570657", "at 1795570999", True),
        ("at 1795570657", "at noon", False),
        ("1795570657 1795570657", "1795570999 1795570999", True),
        ("1795570657 1795570657", "1795570998 1795570999", False),
    ]
)
def test_output_is_compared_but_for_what_the_page_leaves_out(page: str, printed: str, same: bool) -> None:
    assert (Output(page, {}).values_of(printed, whole=True) is not None) == same


def test_a_page_that_shows_something_else_or_hides_a_failure_is_found(tmp_path: Path) -> None:
    terminals = Terminals(tmp_path, {"PATH": "/usr/bin:/bin"}, {"8080": "12345"}, tmp_path)
    terminals.run("export WORD=hello\necho port 8080")
    terminals.expect("port 8080")
    terminals.run("echo $WORD")
    with pytest.raises(AssertionError, match="the page has\ngoodbye\nprinted was\nhello"):
        terminals.expect("goodbye")
    terminals.run("echo broken; false; echo never")
    with pytest.raises(AssertionError, match="broken"):
        terminals.run("echo next")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The program, as it is after the page on asynchronous calls."""
    for page in PAGES[: 1 + [each.stem for each in PAGES].index("async-call")]:
        for block in blocks_of_page(page):
            if block.is_file:
                block.write(tmp_path)
    return tmp_path


@pytest.mark.nightly  # a zone of its own; test_program_pages.py has the same loop on other pages
def test_a_run_of_the_tutorial_takes_few_pulls_for_many_messages(shop: Path) -> None:
    with serve_zone(shop, emulate=["--messages", "8000"]) as zone:
        first = zone.submit("history").result(timeout=DEADLINE).reply
        rest = zone.submit("history", {"cursor": first["next_cursor"]}).result(timeout=DEADLINE).reply
        counts = counts_of_a_backlog(zone, events=2)
    assert [(each["messages"], each["has_more"]) for each in (first, rest)] == [(5000, 1), (3000, 0)]
    assert counts == [5000, 3002]


@pytest.mark.nightly  # a zone of its own; test_program_pages.py has the same loop on other pages
def test_a_backlog_that_is_too_long_for_one_run_is_worked_off_by_several(shop: Path) -> None:
    program = shop / "program.py"
    text = program.read_text("utf-8")
    assert "timeout=30" in text
    program.write_text(text.replace("timeout=30", "timeout=9"), "utf-8")  # no time for a second page
    with serve_zone(shop, emulate=["--messages", "2000"]) as zone:
        counts = counts_of_a_backlog(zone, events=3)
    assert counts == [1000, 1000, 3]


def counts_of_a_backlog(zone: Zone, events: int) -> list[int]:
    """Return how many messages the code on each of some events counts, each of which comes with one more message."""
    oldest = zone.client.info()["now"] - 5 * 24 * 3600
    counts = []
    for _ in range(events):
        zone.fire("conversation_new_message", timestamp=oldest)
        event = zone.notified("conversation_new_message", DEADLINE)
        counts.append(event["conversation_new_message_result"]["messages"])
    return counts


@pytest.fixture
def terminals(followed_readme: Path, tmp_path: Path, life: str) -> Iterator[Terminals]:
    """Terminals in a clone where README.md, which has the first block, has made the wheels and installed them."""
    logs, clone = tmp_path / "logs", tmp_path / "clone"
    for each in (logs, clone):
        each.mkdir()
    (clone / "dist").symlink_to(followed_readme / "wwspec_router/dist")
    variables = {"PATH": f"{followed_readme / 'shop/.venv/bin'}:{os.environ['PATH']}"}
    if life != "at once":
        variables["WWSPEC_EMULATOR_MESSAGES"] = "5000"
    with terminals_in(clone, logs, PORTS, variables) as terminals:
        yield terminals


@pytest.mark.nightly  # follows README.md, runs some 40 commands, and restarts `wwspec dev` for each page
@pytest.mark.parametrize("life", ["at once", "in days, with restarts and 5,000 messages"])
def test_each_step_of_the_tutorial_has_the_result_that_its_page_shows(terminals: Terminals, life: str) -> None:
    for page in PAGES:
        terminals.begin_page()
        if life != "at once":
            wait_for_the_app(terminals.cwd)
            for _ in range(2 if page == PAGES[-1] else 1):  # in a row when most is stored
                terminals.restart_dev()
            if terminals.dev_runs:
                terminals.run("rm -f messages.cursor\nwwspec zone advance 86400")
        for block in blocks_of_page(page) if life == "at once" else without_tests(page):
            if block.language == "bash":
                wait_for_the_app(terminals.cwd)
            try:
                terminals.follow(block, ELSEWHERE)
            except AssertionError as error:
                raise AssertionError(f"{block.place}: {error}") from None
        terminals.check_success()


def without_tests(page: Path) -> Iterator[Block]:
    """Leave out the blocks that only run tests, and what these print: their zones begin anew in any life."""
    is_test = False
    for block in blocks_of_page(page):
        if block.language != "text":
            is_test = block.text.startswith("pytest ")
        if not is_test:
            yield block


def wait_for_the_app(program: Path) -> None:
    """Wait until the app has handled all notifications: a person sees what a command does before the next one."""
    if (file := program / "var" / "notifications.db").exists():
        with closing(SqlitePendingStore(file)) as store:
            store.open()
            wait_until(lambda: not any(store.due(stage, math.inf, 1) for stage in (Stage.NOTED, Stage.FETCHED)))
