"""What hooks are told of the client's requests, and that they change none."""

import logging
from contextlib import suppress
from dataclasses import fields
from typing import Any

import httpx
import pytest

from tests.client.scripted import Outcome, answer, client_of, reply
from tests.support.tables import for_each
from wwspec_client import PlatformError, ProgramError, ZoneClientError
from wwspec_client.hooks import ClientAttempt, ClientCall, ClientHooks, ClientOutcome
from wwspec_contracts.errcodes import WAITING


class Remembering(ClientHooks):
    """Remembers what it is told, but for requests of tokens."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.attempts: list[tuple[ClientAttempt, ClientOutcome]] = []
        self.ends: list[tuple[ClientCall, ClientOutcome]] = []

    def before_call(self, call: ClientCall) -> None:
        self.lines.append(f"call {call.api}")

    def before_attempt(self, attempt: ClientAttempt) -> None:
        self.lines.append(f"attempt {attempt.number} {attempt.call.api}")

    def after_attempt(self, attempt: ClientAttempt, outcome: ClientOutcome) -> None:
        self.lines.append(f"attempt {attempt.number} {outcome.error_type or 'ok'}")
        if attempt.call.api != "gettoken":
            self.attempts.append((attempt, outcome))

    def after_call(self, call: ClientCall, outcome: ClientOutcome) -> None:
        self.lines.append(f"end {call.api} {outcome.error_type or 'ok'}")
        if call.api != "gettoken":
            self.ends.append((call, outcome))


class Failing(ClientHooks):
    def before_call(self, *_: object) -> None:
        raise RuntimeError("the hook's own text")

    def before_attempt(self, *_: object) -> None:
        raise RuntimeError("the hook's own text")

    def after_attempt(self, *_: object) -> None:
        raise RuntimeError("the hook's own text")

    def after_call(self, *_: object) -> None:
        raise RuntimeError("the hook's own text")


def remembered(*outcomes: Outcome, **options: Any) -> Remembering:
    """Return what a hook is told of one call of `greet`."""
    hook = Remembering()
    with client_of(*outcomes, hooks=[hook]) as client, suppress(ZoneClientError):
        client.call("greet", {"text": "private"}, **options)
    return hook


def test_hooks_are_told_of_a_call_its_attempts_and_the_token_that_it_needs() -> None:
    hook = remembered(answer(-1), reply(errcode=0))
    assert {id(attempt.call) for attempt, _ in hook.attempts} == {id(call) for call, _ in hook.ends}
    assert hook.lines == [
        "call chatdata/sync_call_program",
        "call gettoken",
        "attempt 1 gettoken",
        "attempt 1 ok",
        "end gettoken ok",
        "attempt 1 chatdata/sync_call_program",
        "attempt 1 PlatformError",
        "attempt 2 chatdata/sync_call_program",
        "attempt 2 ok",
        "end chatdata/sync_call_program ok",
    ]


def test_a_call_says_what_is_called_where() -> None:
    called = []
    for options in ({}, {"program_id": "other"}):
        [(call, _)] = remembered(reply(errcode=0), **options).ends
        called.append((call.api, call.ability_id, call.program_id, call.corpid))
    assert called == [("chatdata/sync_call_program", "greet", program, "corp") for program in ("p", "other")]


def test_an_attempt_says_how_it_ended_and_when_the_next_one_begins() -> None:
    misfit = answer(-1, "busy, more info at https://open.work.weixin.qq.com/devtool/query?e=-1, [1700000000_abc]")
    first, second = (outcome for _, outcome in remembered(misfit, reply(errcode=0)).attempts)
    assert (first.status, first.errcode, first.error_type, first.pause) == (200, -1, "PlatformError", 0.0)
    assert isinstance(first.error, PlatformError)
    assert first.request_id == first.error.request_id
    assert (second.status, second.errcode, second.error_type, second.pause) == (200, 0, "", None)
    assert 0 <= second.seconds < 60


@for_each(
    [
        (httpx.Response(404), 404, 0, "BadAnswerError"),
        (httpx.ReadTimeout(""), None, 0, "NoAnswerError"),
        (answer(48002), 200, 48002, "PlatformError"),
    ]
)
def test_the_last_attempt_and_the_call_have_the_same_error(outcome: Outcome, *expected: object) -> None:
    hook = remembered(outcome)
    for each in (hook.attempts[-1][1], hook.ends[-1][1]):
        assert (each.status, each.errcode, each.error_type) == expected
    assert hook.attempts[-1][1].pause is None


def test_an_error_of_the_programs_reply_ends_the_call_and_no_attempt() -> None:
    hook = remembered(reply(errcode=710660, errmsg="broken"))
    assert [outcome.error_type for _, outcome in hook.attempts] == [""]
    [(_, outcome)] = hook.ends
    assert (outcome.errcode, outcome.error_type) == (710660, "ProgramError")
    assert isinstance(outcome.error, ProgramError)


def test_a_refused_token_is_followed_by_another_attempt_and_a_missing_one_by_none() -> None:
    hook = remembered(answer(42001), reply(errcode=0))
    assert [(outcome.errcode, outcome.pause) for _, outcome in hook.attempts] == [(42001, 0.0), (0, None)]

    def no_token() -> str:
        raise ValueError("no vault")

    hook = Remembering()
    with client_of(tokens=no_token, hooks=[hook]) as client, pytest.raises(ValueError, match="no vault"):
        client.call("greet")
    assert hook.lines == ["call chatdata/sync_call_program", "end chatdata/sync_call_program ValueError"]


def test_a_job_without_a_result_yet_is_no_failed_call() -> None:
    hook = Remembering()
    with client_of(answer(WAITING), answer(response_data='{"errcode":0}', response_errcode=0), hooks=[hook]) as client:
        assert [client.task("job").status() for _ in range(2)] == ["running", "succeeded"]
    assert {outcome.error_type for _, outcome in (*hook.attempts, *hook.ends)} == {""}


def test_no_fact_of_a_hook_has_a_token_a_secret_or_a_body() -> None:
    hook = remembered(answer(-1, "token-1 is busy"), reply(errcode=710660, errmsg="no", text="answered"))
    facts = [(*(getattr(each, f.name) for f in fields(each)),) for pair in hook.attempts for each in pair]
    text = repr(facts) + "".join(str(outcome.error) for _, outcome in (*hook.attempts, *hook.ends))
    assert "PlatformError" in text
    for secret in ("token-1", "the-secret", "private", "answered"):
        assert secret not in text


def test_a_hook_that_raises_changes_no_call_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    hook = Remembering()
    with client_of(reply(errcode=0), hooks=[Failing(), hook]) as client:
        assert client.call("greet") == client.call("greet") == {"errcode": 0}
    logged = [each.getMessage() for each in caplog.records if each.levelno == logging.ERROR]
    assert len(logged) == 4
    assert logged[0].startswith("the hook Failing.before_call failed, which changes no request")
    assert "own text" not in "".join(logged)
    assert len(hook.ends) == 2
