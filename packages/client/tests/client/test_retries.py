"""What is sent again: one table, never what may have run, and never beyond the deadline."""

from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given, strategies as st

from tests.client.conftest import asked
from tests.client.scripted import Outcome, Script, answer, client_of, reply, scripted
from tests.support.tables import for_each
from wwspec_client import RetryPolicy, ZoneClient, errors
from wwspec_devtools.testing.zone import Zone

BEFORE = ("connect", "pool", "429", "-1", "45033", "710674")
"""Passes, and the program has not run."""
DURING = ("read", "cut", "write", "500", "502", "503", "504")
"""Passes, and the program may have run."""
FINAL = ("40013", "48002", "710675", "719999", "790014", "790016", "800003", "404", "html", "45009")
"""Does not pass, or not within the deadline."""

REFUSED = (
    *("40013", "48002", "709999", "710636", "710640", "710641", "710642", "710645", "710646", "710647", "710651"),
    *("710671", "710672", "710673", "790012", "790015", "790016", "790017", "790020", "790021"),
    *("800001", "800002", "800003", "900000"),
)
"""Errcodes that WeCom finds before it calls the program [100042], and all that are not of the zone."""
UNKNOWN = (
    *("45029", "710000", "710638", "710639", "710675", "710676", "710677", "719999"),
    *("790013", "790014", "790022", "790023"),
)
"""Errcodes with which the program may have run; so are those of the zone that no page has."""


KINDS: dict[type[errors.ZoneClientError], tuple[str, ...]] = {
    errors.NotSentError: ("connect", "connecting", "pool"),
    errors.NoAnswerError: ("read", "cut", "write"),
    errors.BadAnswerError: ("302", "404", "429", "502", "html", "list", "text"),
    errors.PlatformError: ("-1", "45009", "45033", "48002", "710674", "710675", "719999"),
    errors.ContractMisfitError: ("790014", "790016"),
    errors.ProgramError: ("program",),
}
KIND = {name: kind for kind, names in KINDS.items() for name in names}


def outcome(name: str) -> Outcome:
    outcomes: dict[str, Outcome] = {
        "connect": httpx.ConnectError(""),
        "pool": httpx.PoolTimeout(""),
        "read": httpx.ReadTimeout(""),
        "cut": httpx.RemoteProtocolError(""),
        "write": httpx.WriteError(""),
        "html": httpx.Response(200, text="<html>"),
        "connecting": httpx.ConnectTimeout(""),
        "list": httpx.Response(200, text="[]"),
        "text": httpx.Response(200, text='{"errcode": "0"}'),
        "program": reply(errcode=5),
    }
    if name in outcomes:
        return outcomes[name]
    return httpx.Response(int(name)) if "300" <= name <= "600" and len(name) == 3 else answer(int(name))


histories = st.lists(st.sampled_from([*BEFORE, *DURING, *FINAL, "ok"]), min_size=1, max_size=8)


def attempts_of(names: list[str], policy: RetryPolicy, *, retry_unsafe: bool, runs: bool = True) -> int:
    """Return how often a request is sent whose attempts end so."""
    script = Script([reply(errcode=0) if name == "ok" else outcome(name) for name in [*names, "ok"]])
    with client_of(transport=script, retries=policy) as client:
        try:
            if runs:
                client.call("greet", retry_unsafe=retry_unsafe)
            else:
                client.set_log_level(1)
        except errors.ZoneClientError as error:
            assert error.may_have_run is (runs and names[len(script.requests) - 1] in (*DURING, *FINAL[2:5], "html"))
    return len(script.requests)


@for_each(
    [
        ((*BEFORE, "connecting", "45009"), True, False),
        ((*DURING, "599"), True, True),
        ((*REFUSED, "302", "404", "430", "499", "600"), False, False),
        ((*UNKNOWN, "899999", "html", "list", "text", "program"), False, True),
    ]
)
def test_each_failure_has_its_class_and_says_whether_a_repeat_may_pass_and_whether_the_call_may_have_run(
    names: tuple[str, ...], retryable: bool, may_have_run: bool
) -> None:
    for name in names:
        with client_of(outcome(name), retries=RetryPolicy(attempts=1)) as client:
            with pytest.raises(errors.ZoneClientError, match="^sync_call_program of greet: ") as caught:
                client.call("greet")
        assert type(caught.value) is KIND.get(name, type(caught.value)), name
        assert caught.value.request_id == "", "WeCom gave none"
        assert (caught.value.retryable, caught.value.may_have_run) == (retryable, may_have_run), name


@given(histories, st.integers(1, 6))
def test_a_call_that_may_have_run_is_never_sent_twice(names: list[str], attempts: int) -> None:
    sent = attempts_of(names, RetryPolicy(attempts=attempts, first_pause=0.0), retry_unsafe=False)
    assert all(name in BEFORE for name in names[: sent - 1])
    assert sent <= attempts
    assert sent == attempts or names[sent - 1 : sent] == [] or names[sent - 1] not in BEFORE


@given(histories, st.integers(1, 6), st.booleans())
def test_what_can_be_repeated_is_sent_until_it_passes_or_an_error_is_final(
    names: list[str], attempts: int, runs: bool
) -> None:
    sent = attempts_of(names, RetryPolicy(attempts=attempts, first_pause=0.0), retry_unsafe=True, runs=runs)
    last = next((n for n, name in enumerate([*names, "ok"], 1) if name in ("ok", *FINAL)), 0)
    assert sent == min(attempts, last)


@given(st.integers(1, 10), st.floats(0, 100), st.floats(0.1, 10), st.floats(0.1, 100), st.none() | st.floats(0, 99))
def test_a_pause_is_bounded_by_the_deadline_and_by_what_the_server_asks(
    attempt: int, elapsed: float, first: float, deadline: float, retry_after: float | None
) -> None:
    policy = RetryPolicy(attempts=10, first_pause=first, longest_pause=8.0, deadline=deadline)
    error = errors.BadAnswerError("x", "busy", status=429, retry_after=retry_after, retryable=True)
    pause = policy.pause(error, attempt, elapsed, retry_unsafe=False)
    if pause is None:
        assert attempt == 10 or elapsed + max(min(8.0, first * 2 ** (attempt - 1)), retry_after or 0) >= deadline
    else:
        assert elapsed + pause < deadline
        assert pause >= (retry_after or 0)
        assert pause <= max(min(8.0, first * 2 ** (attempt - 1)), retry_after or 0)


def test_a_call_beyond_the_limit_of_frequency_is_not_repeated_within_the_minute(zone: Zone, app: ZoneClient) -> None:
    zone.client.add_fault("app", "errcode", "sync_call_program", 45009, count=1)
    with pytest.raises(errors.PlatformError, match="errcode 45009") as caught:
        app.call("chat_digest", {"limit": 3})
    assert len(asked(zone, "sync_call_program", "app")) == 1
    patient = RetryPolicy(deadline=300.0)
    assert [caught.value.retry_after, patient.pause(caught.value, 1, 0.0, retry_unsafe=False)] == [60.0, 60.0]
    zone.client.add_fault("sdk", "errcode", "search_chat", 45009, count=1)
    with pytest.raises(errors.SdkApiError, match="errcode 45009") as caught_of_api:
        app.call("invoke_search_chat", {"query_word": "报价"}, retry_unsafe=True)
    assert caught_of_api.value.retry_after == 60.0
    assert len(asked(zone, "search_chat")) == 1


def test_a_retry_after_that_is_beyond_the_deadline_ends_the_attempts_at_once() -> None:
    for header in ("61", format_datetime(datetime.now(UTC) + timedelta(hours=1)), "9" * 400):
        with scripted(httpx.Response(429, headers={"retry-after": header}), retries=RetryPolicy()) as (client, script):
            with pytest.raises(errors.BadAnswerError) as caught:
                client.call("greet")
        assert caught.value.retry_after is not None
        assert caught.value.retry_after > 60
        assert len(script.requests) == 1


@for_each(["0", format_datetime(datetime(2020, 1, 1, tzinfo=UTC)), "soon", ""])
def test_a_retry_after_that_is_over_or_no_time_is_as_good_as_none(header: str) -> None:
    with client_of(httpx.Response(429, headers={"retry-after": header}), reply(errcode=0)) as client:
        assert client.call("greet") == {"errcode": 0}


def test_the_least_of_each_number_of_a_policy_is_taken_and_those_left_out_are_the_documented_ones() -> None:
    assert astuple(RetryPolicy()) == (4, 0.5, 8.0, 60.0)
    RetryPolicy(attempts=1, first_pause=0.0, longest_pause=0.0, deadline=0.001)
