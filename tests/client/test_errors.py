"""One error tree: who refused, why, and whether the call may have run."""

import httpx
import pytest

from tests.client.conftest import QUICK
from tests.client.scripted import Outcome, Script, answer, reply
from wwspec_router.client import (
    BadAnswerError,
    ContractMisfitError,
    NoAnswerError,
    NotSentError,
    PlatformError,
    ProgramError,
    RetryPolicy,
    SdkApiError,
    TransportError,
    ZoneClient,
    ZoneClientError,
)
from wwspec_router.errors import DEFAULT_ERRCODE, ConfigurationError
from wwspec_router.testing.zone import Zone
from wwspec_router.wecom import get_group_chat

ONCE = RetryPolicy(attempts=1)
WRONG = "another app's"


def failure(outcome: Outcome) -> ZoneClientError:
    """Return how a call ends of which the only attempt ends so."""
    with (
        ZoneClient("corp", "secret", program_id="p", transport=Script([outcome]), retries=ONCE) as client,
        pytest.raises(ZoneClientError) as caught,
    ):
        client.call("greet")
    assert str(caught.value).startswith("sync_call_program of greet: ")
    return caught.value


def test_a_refusal_of_the_platform_has_its_errcode_a_hint_and_the_request_id(app: ZoneClient) -> None:
    with pytest.raises(PlatformError) as caught:
        app.call("chat_diget")
    error = caught.value
    assert (error.errcode, error.retryable, error.may_have_run) == (800003, False, False)
    assert error.hint == "`wwspec abilities` lists those of the program"
    assert "did you mean chat_digest?" in str(error)
    assert error.request_id
    assert f"[{error.request_id}]" in error.errmsg


def test_a_request_that_does_not_fit_the_console_names_the_path(app: ZoneClient) -> None:
    with pytest.raises(ContractMisfitError) as caught:
        app.call("chat_digest", {"limits": 5})
    assert (caught.value.errcode, caught.value.side, caught.value.path) == (790016, "request", "$.limits")
    assert not caught.value.may_have_run


def test_a_reply_that_does_not_fit_the_console_may_have_run(zone: Zone, app: ZoneClient) -> None:
    zone.client.add_fault("program", "errcode", "chat_digest", 790014, count=1)
    with pytest.raises(ContractMisfitError) as caught:
        app.call("chat_digest")
    assert (caught.value.errcode, caught.value.side, caught.value.may_have_run) == (790014, "reply", True)


def test_the_errcode_of_an_sdk_api_is_told_from_that_of_the_program(app: ZoneClient) -> None:
    with pytest.raises(SdkApiError, match="the SDK API answers errcode 710624"):
        app.call(get_group_chat.Request(chatid="nobody's"))
    with pytest.raises(ProgramError, match="the program answers errcode 710660: input contract") as caught:
        app.call("chat_digest", {"limit": 0})
    assert not isinstance(caught.value, SdkApiError)
    assert caught.value.errcode == DEFAULT_ERRCODE


@pytest.mark.parametrize(
    ("outcome", "kind", "retryable", "may_have_run"),
    [
        (httpx.ConnectError("refused"), NotSentError, True, False),
        (httpx.ConnectTimeout("slow"), NotSentError, True, False),
        (httpx.PoolTimeout("full"), NotSentError, True, False),
        (httpx.ReadTimeout("slow"), NoAnswerError, True, True),
        (httpx.RemoteProtocolError("cut"), NoAnswerError, True, True),
        (httpx.WriteError("cut"), NoAnswerError, True, True),
        (httpx.Response(429), BadAnswerError, True, False),
        (httpx.Response(502), BadAnswerError, True, True),
        (httpx.Response(404), BadAnswerError, False, False),
        (httpx.Response(302), BadAnswerError, False, False),
        (httpx.Response(200, text="<html>"), BadAnswerError, False, True),
        (httpx.Response(200, text="[]"), BadAnswerError, False, True),
        (httpx.Response(200, text='{"errcode": "0"}'), BadAnswerError, False, True),
        (answer(-1), PlatformError, True, False),
        (answer(45009), PlatformError, True, False),
        (answer(45033), PlatformError, True, False),
        (answer(48002), PlatformError, False, False),
        (answer(710674), PlatformError, True, False),
        (answer(710675), PlatformError, False, True),
        (answer(790014), ContractMisfitError, False, True),
        (answer(790016), ContractMisfitError, False, False),
        (answer(719999), PlatformError, False, True),
        (reply(errcode=5, errmsg="no"), ProgramError, False, True),
    ],
)
def test_each_failure_states_whether_it_may_pass_and_whether_the_call_may_have_run(
    outcome: Outcome, kind: type[ZoneClientError], retryable: bool, may_have_run: bool
) -> None:
    error = failure(outcome)
    assert type(error) is kind
    assert (error.retryable, error.may_have_run) == (retryable, may_have_run)


def test_what_does_not_let_the_program_run_can_always_be_repeated() -> None:
    with (
        ZoneClient("c", "s", program_id="p", transport=Script([httpx.ReadTimeout("slow")]), retries=ONCE) as client,
        pytest.raises(NoAnswerError) as caught,
    ):
        client.get_log_level()
    assert not caught.value.may_have_run


def test_an_emulator_that_does_not_run_is_a_request_that_was_not_sent() -> None:
    with (
        ZoneClient("corp", "secret", program_id="p", base_url="http://127.0.0.1:1", retries=QUICK) as client,
        pytest.raises(NotSentError, match="gettoken: WeCom can't be reached"),
    ):
        client.call("greet")


def test_a_secret_that_is_wrong_says_so(zone: Zone) -> None:
    info = zone.client.info()
    with (
        zone.app_client(corpid=info["corpid"], secret=WRONG) as client,
        pytest.raises(PlatformError, match="gettoken: .*40001.*the secret is not that of the app") as caught,
    ):
        client.call("chat_digest")
    assert WRONG not in repr(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"secret": ""}, "the client needs corpid and secret, or tokens="),
        ({"tokens": lambda: "t"}, "one source of access tokens"),
        ({"base_url": "qyapi.weixin.qq.com"}, "base_url is a URL such as https://qyapi.weixin.qq.com"),
        ({"timeout": 0}, "timeout is more than 0 seconds, not 0"),
        ({"connections": 0}, "connections is 1 or more, not 0"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_with_the_fix(options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        ZoneClient(**{"corpid": "c", "secret": "s", **options})  # type: ignore[arg-type]


def test_transport_errors_are_one_branch_of_the_tree() -> None:
    assert issubclass(NotSentError, TransportError)
    assert issubclass(TransportError, ZoneClientError)
