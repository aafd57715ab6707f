"""Clients that send their requests in another way, and what each request says of its client."""

import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.client.conftest import QUICK, asked
from tests.client.scripted import Script, answer, async_client_of, client_of, reply, scripted
from tests.support.tables import for_each
from wwspec_client import NoAnswerError, RequestOptions, RetryPolicy
from wwspec_client.core import Core, Sending
from wwspec_client.steps import Alone, Request, Steps
from wwspec_client.stores import Token
from wwspec_contracts import sync_msg
from wwspec_contracts.errcodes import ProgramErrcodes
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.testing.zone import Zone


def test_connecting_may_have_less_time_than_an_answer() -> None:
    seconds: list[tuple[float, float]] = []

    def note(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("sync_call_program"):
            given = request.extensions["timeout"]
            seconds.append((round(given["connect"], 1), round(given["read"])))
        return reply(errcode=0)

    with client_of(transport=httpx.MockTransport(note), timeout=(2.5, 20)) as client:
        client.call("greet")
        client.with_options(timeout=(1.5, 90)).call("greet")
        client.with_options(timeout=5).call("greet", timeout=(3.5, 7))
        client.with_options(deadline=1).call("greet")
    assert seconds == [(2.5, 20), (1.5, 90), (3.5, 7), (1.0, 1)]


@for_each(
    [
        ({}, 30),
        ({"timeout": 5}, 5),
        ({"timeout": 90}, 90),
        ({"deadline": 2}, 2),
        ({"deadline": 3, "timeout": 90}, 3),
        ({"retries": RetryPolicy(deadline=4.0)}, 4),
        ({"retries": RetryPolicy(deadline=4.0), "deadline": 7.0}, 7),
    ]
)
def test_an_attempt_gets_the_time_that_the_options_say(options: RequestOptions, seconds: int) -> None:
    with scripted(reply(errcode=0)) as (client, script):
        other = client.with_options(**options)
        other.call("greet")
        other.get_corp_auth_info()
        client.call("greet")
    assert script.seconds == [seconds, seconds, seconds, 30]


def test_the_latest_of_several_options_counts_and_a_call_may_still_have_its_own() -> None:
    with scripted(reply(errcode=0)) as (client, script):
        client.with_options(timeout=90).with_options(timeout=5).call("greet")
        client.with_options(timeout=90).with_options(retries=0).call("greet")
        client.with_options(timeout=5).call("greet", timeout=7)
        client.with_options(deadline=5).call("greet", timeout=70)
    assert script.seconds == [5, 5, 90, 7, 70]


@for_each(
    [
        ({}, 4),
        ({"retries": 0}, 1),
        ({"retries": 2}, 3),
        ({"retries": RetryPolicy(attempts=2, first_pause=0.0)}, 2),
        ({"retries": 5, "deadline": 1e-9}, 1),
    ]
)
def test_a_request_is_sent_as_often_as_the_options_say(options: RequestOptions, attempts: int) -> None:
    with scripted(httpx.ReadError("")) as (client, script), pytest.raises(NoAnswerError):
        client.with_options(**options).get_log_level()
    assert len(script.requests) == attempts


def test_a_client_with_options_shares_the_token_and_the_connections(zone: Zone) -> None:
    with zone.app_client() as client:
        assert client.with_options(timeout=5).get_log_level() == 2
        assert client.get_log_level() == 2
        assert client.with_options(retries=0).with_options(timeout=5).check_debug_mode() is False
        assert len(asked(zone, "gettoken", "app")) == 1
        client.with_options(timeout=5).close()
        with pytest.raises(ConfigurationError, match="the client is closed"):
            client.get_log_level()


async def test_a_client_on_an_event_loop_takes_the_same_options() -> None:
    script = Script([answer(log_level=1)])
    async with async_client_of(script=script, user_agent="mine/1") as client:
        assert await client.with_options(timeout=5, headers={"X-Gateway": "a"}).get_log_level() == 1
        assert await client.get_log_level() == 1
        with pytest.raises(TypeError, match="unexpected keyword argument 'time_out'; did you mean timeout"):
            client.with_options(time_out=5)  # type: ignore[call-arg]
    assert script.seconds == [5, 5, 30]
    assert [each.headers.get("x-gateway") for each in script.requests] == ["a", None]
    assert {each.headers["user-agent"] for each in script.requests} == {"mine/1"}


def test_a_task_and_the_pages_of_a_client_with_options_have_them_too() -> None:
    with scripted(answer(jobid="j"), answer(response_data="{}"), reply(has_more=False)) as (client, script):
        client.with_options(timeout=5).submit("greet").result()
        list(client.with_options(timeout=6).pages(sync_msg.Request()))
    assert script.seconds == [5, 5, 5, 6]


def test_each_request_has_the_headers_of_the_options() -> None:
    sent: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return answer(access_token="t", expires_in=7200, log_level=1)  # noqa: S106 - no secret

    with client_of(transport=httpx.MockTransport(handle)) as client:
        gateway = client.with_options(headers={"X-Gateway": "a", "X-Other": "b"})
        gateway.with_options(headers={"X-Gateway": "c"}, timeout=5).get_log_level()
        client.get_log_level()
    assert [each.headers.get("x-gateway") for each in sent] == ["c", "c", None]
    assert [sent[1].headers[name] for name in ("x-other", "content-type")] == ["b", "application/json"]


def test_requests_say_the_versions_of_package_python_and_httpx_and_nothing_of_the_machine() -> None:
    with scripted(answer(log_level=1)) as (client, script):
        client.get_log_level()
        client.with_options(headers={"User-Agent": "gateway/1"}).get_log_level()
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert [each.headers["user-agent"] for each in script.requests] == [
        f"wwspec-client/0.1.0 python/{python} httpx/{httpx.__version__}",
        "gateway/1",
    ]


@for_each(
    [
        ({"timeout": 0}, "timeout is more than 0 seconds, not 0"),
        ({"deadline": 0}, "deadline is more than 0 seconds, not 0"),
        ({"retries": -1}, "retries is a RetryPolicy, or a number of 0 or more, not -1"),
        ({"idempotency_key": ""}, "idempotency_key is a text that is not empty"),
        ({"idempotency_key": None}, "idempotency_key is a text that is not empty"),
        ({"idempotency_field": ""}, "idempotency_field is a text that is not empty"),
        ({"headers": {"X Y": "s3cret"}}, "headers: 'X Y' is no name of a header"),
        ({"headers": {"X-Y": "s3cret\r\n"}}, "headers: the value of X-Y has other characters than printable ASCII"),
        ({"headers": {"X-Y": "s3cret密"}}, "headers: the value of X-Y has other characters than printable ASCII"),
        ({"headers": {"Content-Type": "s3cret"}}, "headers: Content-Type is the client's own"),
    ]
)
def test_an_option_that_makes_no_sense_is_refused_without_its_value(options: Any, said: str) -> None:
    with client_of() as client, pytest.raises(ConfigurationError) as caught:
        client.with_options(**options)
    assert str(caught.value).startswith(said)
    assert "s3cret" not in str(caught.value)


def test_who_waits_longer_for_a_token_asks_again_after_the_failure_of_one_that_gave_up() -> None:
    asked: list[str] = []

    class Provider:
        corpid = "corp"

        def fetch(self, fetch: Callable[[Request], Steps[dict[str, Any]]]) -> Steps[Token]:
            yield from ()
            asked.append("once")
            if len(asked) == 1:
                raise ConnectionError("too slow")
            return Token("token")

    core = Core(Provider(), "p", "", Sending(30.0, QUICK), ProgramErrcodes())
    hasty = core.sent_as(Sending(0.1, QUICK))
    waiting = [each.access_token() for each in (hasty, hasty, core)]
    alone = [next(steps) for steps in waiting]
    for step in alone[:2]:
        assert isinstance(step, Alone)
        with pytest.raises(ConnectionError):
            next(step.work())
    assert asked == ["once"]
    assert isinstance(alone[2], Alone)
    with pytest.raises(StopIteration) as end:
        next(alone[2].work())
    assert end.value.value == "token"
    for steps in waiting:
        steps.close()
