"""The lines of a client's requests that `WWSPEC_LOG` asks for."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.client.scripted import answer, client_of, reply
from tests.support.apps import ROOT
from tests.support.processes import UNMEASURED
from tests.support.tables import for_each
from wwspec_client.call_lines import LOGGER, LogHooks

APP = """
from tests.client.scripted import answer, client_of, reply
with client_of(answer(-1, "token-1 busy"), reply(errcode=0, text="answered")) as client:
    client.call("greet", {"text": "private"})
"""


@pytest.fixture(autouse=True)
def logger() -> Iterator[logging.Logger]:
    log = logging.getLogger(LOGGER)
    level, handlers = log.level, list(log.handlers)
    yield log
    log.setLevel(level)
    log.handlers[:] = handlers


def test_an_app_that_sets_up_no_log_gets_the_lines_on_standard_error() -> None:
    environment = {**os.environ, **UNMEASURED, "PYTHONPATH": str(ROOT), "WWSPEC_LOG": "debug"}
    done = subprocess.run([sys.executable, "-c", APP], env=environment, capture_output=True, text=True, check=True)
    lines = done.stderr.splitlines()
    called = "chatdata/sync_call_program greet program_id=p corpid=corp"
    messages = [line.split(f" {LOGGER} ", 1)[1] for line in lines if called in line]
    ends = [message.partition(" ms=")[0].removeprefix(called) for message in messages]
    assert ends == [" attempt 1", " attempt 1 failed", " attempt 2", " attempt 2 ok", " ok"]
    assert "status=200 errcode=-1 error=PlatformError" in messages[1]
    assert messages[1].endswith("next_attempt_in=0s")
    for secret in ("token-1", "the-secret", "private", "answered"):
        assert secret not in "\n".join(lines)


def test_a_level_that_there_is_not_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WWSPEC_LOG", "verbose")
    with client_of(reply(errcode=0)) as client:
        client.call("greet")
    assert caplog.messages == ["WWSPEC_LOG is debug or info, not 'verbose': no requests are logged"]


@for_each(["", "info"])
def test_an_app_may_log_requests_without_the_variable_and_gets_no_line_twice_with_it(
    level: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WWSPEC_LOG", level)
    caplog.set_level(logging.INFO, LOGGER)
    caplog.clear()
    with client_of(answer(-1), reply(errcode=0), hooks=[LogHooks()]) as client:
        client.call("greet")
    assert len(caplog.messages) == 3
    assert capsys.readouterr().err == ""
