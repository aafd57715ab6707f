"""One error tree: who refused, why, and whether the call may have run."""

import re
import traceback
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.client.scripted import Outcome, Script, answer, async_client_of, client_of, reply
from tests.support.tables import for_each
from wwspec_client import RetryPolicy, SuiteApp, ZoneClient, errors
from wwspec_client.stores import FileCursor
from wwspec_contracts import sync_msg
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.testing.zone import Zone

ONCE = RetryPolicy(attempts=1)
WRONG = "another app's"


def failure(outcome: Outcome, call: Callable[[ZoneClient], object] = lambda client: client.call("greet")) -> Any:
    """Return how a call ends of which the only attempt ends so."""
    with client_of(outcome, retries=ONCE) as client, pytest.raises(errors.ZoneClientError) as caught:
        call(client)
    return caught.value


def test_a_refusal_of_the_platform_has_its_errcode_a_hint_and_the_request_id(app: ZoneClient) -> None:
    with pytest.raises(errors.PlatformError) as caught:
        app.call("chat_diget")
    error = caught.value
    assert (error.errcode, error.retryable, error.may_have_run) == (800003, False, False)
    assert error.hint == "check the ability's ID: `wwspec abilities` lists those of the program"
    assert "did you mean chat_digest?" in str(error)
    assert error.request_id
    assert f"[{error.request_id}]" in error.errmsg


def test_what_does_not_fit_the_console_says_which_side_and_whether_it_may_have_run(app: ZoneClient, zone: Zone) -> None:
    with pytest.raises(errors.ContractMisfitError) as caught:
        app.call("chat_digest", {"limits": 5})
    assert (caught.value.errcode, caught.value.side, caught.value.path) == (790016, "request", "$.limits")
    assert not caught.value.may_have_run
    zone.client.add_fault("program", "errcode", "chat_digest", 790014, count=1)
    with pytest.raises(errors.ContractMisfitError) as caught:
        app.call("chat_digest")
    assert (caught.value.errcode, caught.value.side, caught.value.may_have_run) == (790014, "reply", True)


def test_a_secret_that_is_wrong_says_so(zone: Zone) -> None:
    info = zone.client.info()
    with (
        zone.app_client(corpid=info["corpid"], secret=WRONG) as client,
        pytest.raises(errors.PlatformError, match="gettoken: .*40001.*the secret is not that of the app") as caught,
    ):
        client.call("chat_digest")
    assert WRONG not in repr(caught.value)


@for_each(
    [
        (lambda client: client.call("greet", timout=1), "'timout'; did you mean timeout?"),
        (lambda client: client.submit("greet", notify_id="n"), "'notify_id'; it takes program_id, retry_unsafe, "),
        (lambda client: client.pages(sync_msg.Request(), retry_unsaf=1), "'retry_unsaf'; did you mean retry_unsafe?"),
        (lambda client: client.messages(FileCursor("x"), limitt=3), "'limitt'; did you mean limit?"),
    ]
)
def test_a_misspelt_option_is_refused_with_the_name_that_was_meant(
    call: Callable[[Any], object], said: str, app: ZoneClient
) -> None:
    with pytest.raises(TypeError, match=f"unexpected keyword argument {re.escape(said)}"):
        call(app)


async def test_a_closed_client_says_so() -> None:
    client, later = client_of(), async_client_of()
    client.close()
    await later.aclose()
    with pytest.raises(ConfigurationError, match="the client is closed"):
        client.call("greet")
    with pytest.raises(ConfigurationError, match="the client is closed"):
        await later.call("greet")


class Unauthorised(Script):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        super().handle_request(request)
        return answer(40013, "invalid corpid")


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("kind", "outcome"),
    [(Script, each) for each in (answer(48002), answer(40014), httpx.ConnectError(""), httpx.Response(500))]
    + [(Unauthorised, answer())],
)
async def test_no_variable_of_a_frame_of_an_error_shows_the_access_token_or_the_secret(
    kind: type[Script], outcome: Outcome, *, is_async: bool
) -> None:
    """Tools that report errors send the variables of each frame along."""
    script = kind([outcome])
    with pytest.raises(errors.ZoneClientError) as caught:
        if is_async:
            async with async_client_of(script=script, retries=ONCE) as later:
                await later.call("greet")
        else:
            with client_of(transport=script, retries=ONCE) as client:
                client.call("greet")
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    own = [frame for frame in frames if "wwspec_client" in frame.f_code.co_filename.split("tests")[0]]
    shown = {frame.f_code.co_name: repr(frame.f_locals) for frame in own}
    assert len(shown) > 5
    assert [name for name, text in shown.items() if "token-" in text or "the-secret" in text] == []


def test_a_client_shows_its_corp_and_its_program_and_no_secret() -> None:
    assert repr(client_of()) == "ZoneClient(corpid='corp', program_id='p')"
    assert repr(async_client_of()) == "AsyncZoneClient(corpid='corp', program_id='p')"


@for_each(
    [
        ("1655348934123456789012345", True),
        ("1700000000_7_8ec42a8f", True),
        ("1796027502_8760641548", True),
        ("zhangwei@example.com", False),
        ("1700000000_order-of-zhangwei", False),
        ("17", False),
        ("1" * 128, False),
    ]
)
def test_a_hint_that_is_not_in_wecom_s_form_is_no_request_id(hint: str, is_one: bool) -> None:
    assert failure(reply(errcode=5, errmsg=f"no, hint: [{hint}]")).request_id == (hint if is_one else "")


def test_a_refusal_that_repeats_a_secret_of_app_or_suite_is_shown_without_it() -> None:
    error = failure(answer(40001, "invalid credential: access_token=token-1"), ZoneClient.get_log_level)
    shown = f"{error} {error!r} {vars(error)}"
    assert "access_token=***" in shown
    assert "token-1" not in shown
    suite = SuiteApp("suite", "suite-secret", "a-ticket", "corp", "permanent-code")
    given: dict[str, Any] = {"suite_access_token": "suite-token", "expires_in": 7200}
    first = answer(40085, "wrong: suite-secret, a-ticket")
    second = answer(40084, "wrong: suite-token, permanent-code")
    for outcomes in ([first], [answer(**given), second]):
        with ZoneClient(tokens=suite, program_id="p", transport=Script(outcomes), retries=ONCE) as client:
            with pytest.raises(errors.PlatformError, match=r"wrong: \*\*\*, \*\*\*; "):
                client.get_log_level()
