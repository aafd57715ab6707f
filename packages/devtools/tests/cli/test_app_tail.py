"""`wwspec app tail`, as a process beside an emulator."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.cli.wecom import Shell
from tests.support.command import Running
from tests.support.waiting import wait_until
from tests.support.zones import app_of
from wwspec_devtools.cli.dev_note import DevNote, keep_note
from wwspec_devtools.testing.zone import Zone
from wwspec_router.cli.main import main


@contextmanager
def tail(*arguments: str, **variables: str) -> Iterator[tuple[Running, str]]:
    """Run it, and yield it and the URL that it serves."""
    with Running(["app", "tail", *arguments], Path.cwd(), {**os.environ, **variables}) as running:
        wait_until(lambda: "\n" in running.stderr or running.process.poll() is not None)
        found = re.match(r"callbacks arrive at (http://127\.0\.0\.1:\d+)", running.stderr)
        assert found, running.stderr
        yield running, found[1]


def line_of(running: Running) -> str:
    """Wait until it has printed a line, and return it."""
    wait_until(lambda: "\n" in running.stdout)
    return running.stdout


def test_events_of_an_emulator_are_printed_until_the_end(zone: Zone) -> None:
    with tail("--url", zone.client.url, "--json") as (running, _):
        wait_until(lambda: zone.client.info()["callback_verified"])
        zone.fire("hit_keyword")
        shown = json.loads(line_of(running))
        assert shown["event"]["event_type"] == "hit_keyword"
        assert shown["notification"]["notify_id"] == zone.notified()
        running.process.terminate()
        done = running.end()
        assert done.returncode == 0
        assert "Traceback" not in done.stderr
    assert zone.client.info()["callback_url"] == ""


def test_events_are_printed_as_lines_with_the_credentials_of_the_environment(zone: Zone) -> None:
    token, key = "callback-token", "a" * 42 + "A"
    variables = {"WWSPEC_CALLBACK_TOKEN": token, "WWSPEC_ENCODING_AES_KEY": key}
    with tail("--listen", "127.0.0.1:0", **app_of(zone), **variables) as (running, url):
        zone.client.set_callback(url, token, key)
        wait_until(lambda: zone.client.info()["callback_verified"])
        zone.fire("conversation_new_message")
        shown = line_of(running)
        assert ' conversation_new_message {"token":"' in shown
        assert f"notify_id {zone.notified()} scene " in shown
    zone.client.restore_callback()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--listen", "127.0.0.1:0"), 2, "WWSPEC_CALLBACK_TOKEN and WWSPEC_ENCODING_AES_KEY"),
        (("--listen", "here"), 2, "must be HOST:PORT, such as 127.0.0.1:8090"),
        (("--listen", "127.0.0.1:70000"), 2, "must be HOST:PORT, such as 127.0.0.1:8090"),
        (("--listen", "192.0.2.1:80"), 1, "choose another port or address"),
        (("--url", "http://127.0.0.1:1"), 1, "http://127.0.0.1:1"),
    ],
)
def test_a_mistake_is_one_line_that_says_the_fix(zone: Zone, arguments: tuple[str, ...], code: int, says: str) -> None:
    done = Shell(zone)("app", "tail", *arguments)
    assert (done.exit_code, says in done.output) == (code, True), done.output


def test_in_the_folder_of_a_dev_its_emulator_is_taken_unless_an_app_at_wecom_is_named(
    zone: Zone, tmp_path: Path
) -> None:
    with keep_note(tmp_path, DevNote(zone.client.url, "")):
        with tail(WWSPEC_APP=str(tmp_path)):
            wait_until(lambda: zone.client.info()["callback_verified"])
        arguments = ["app", "tail", "--corpid", "ww1", "--listen", "127.0.0.1:0"]
        named = CliRunner().invoke(main, arguments, env={"WWSPEC_APP": str(tmp_path)})
    assert (named.exit_code, "the callback is not known" in named.stderr) == (2, True)
