"""Why a call or an event failed, below its answer: the summary of its exchange, as `wwspec zone show` prints it."""

import shlex
from contextlib import suppress

import click

from wwspec_devtools.cli.dev_note import noted_url
from wwspec_devtools.emulator.display.reasons import FAILURES
from wwspec_devtools.emulator.http.client import DEFAULT_URL, EmulatorClient, EmulatorError
from wwspec_devtools.emulator.http.summary import Json, reported_entry, summary
from wwspec_router.cli.language import is_chinese, text


def print_why(emulator: EmulatorClient, since: int, ability_id: str) -> None:
    """Print on standard error what became of a refused call.

    Args:
        emulator: Where it was called.
        since: The number of the last entry before the call.
        ability_id: What was called.
    """
    with suppress(EmulatorError):  # the answer is there, and says more than this would
        rows = [row for row in emulator.traffic(since, "call", bodies=False, wait=False) if row["name"] == ability_id]
        if len(rows) != 1:  # others called the same meanwhile
            return
        entry = reported_entry(emulator, rows[0]["number"])
        if entry["verdict"] in FAILURES and entry["outcome"] == "ok":  # what the platform refuses is an error by itself
            click.echo("\n".join(summary_lines(emulator, entry)), err=True)


def print_event(emulator: EmulatorClient, number: int) -> None:
    """Print on standard error where to see what the program does on an event, or why that has failed already.

    Args:
        emulator: What fired it.
        number: Of its entry.
    """
    with suppress(EmulatorError):
        entry = emulator.entry(number)
        if entry["verdict"] in FAILURES:
            click.echo("\n".join(summary_lines(emulator, entry)), err=True)
        else:
            show = f"`wwspec zone show {number}{_where(emulator)}`"
            click.echo(f"what becomes of it: {show}, {emulator.url}/#/timeline/{number}", err=True)


def summary_lines(emulator: EmulatorClient, entry: Json) -> list[str]:
    """Return the lines about an exchange, in the language of this run."""
    return summary(emulator, entry, say=text, language=is_chinese(), where=_where(emulator))


def _where(emulator: EmulatorClient) -> str:
    return "" if emulator.url == (noted_url() or DEFAULT_URL) else f" --url {shlex.quote(emulator.url)}"
