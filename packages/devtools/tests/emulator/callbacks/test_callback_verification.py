"""When the emulator verifies the callback URL, and what it says when that fails."""

import logging
from contextlib import ExitStack

import pytest
from click.testing import CliRunner, Result

from tests.emulator.conftest import CallbackApp, StartEmulator, start_with_callback
from tests.support.emulator import Emulator, Response, free_socket, http_server, url_of
from tests.support.waiting import wait_until
from wwspec_router.cli.main import main


def verify(emulator: Emulator) -> Result:
    return CliRunner().invoke(main, ["zone", "verify-callback"], env={"WWSPEC_EMULATOR_URL": emulator.url})


def is_verified(emulator: Emulator) -> bool:
    return bool(emulator.http.get("/emulator/info").json()["callback_verified"])


def test_the_url_is_verified_again_after_a_reset(start: StartEmulator, callback_app: CallbackApp) -> None:
    emulator = start_with_callback(start, callback_app.url)
    wait_until(lambda: is_verified(emulator))
    callback_app.echo_answers.append("wrong")
    emulator.http.post("/emulator/reset")
    wait_until(lambda: callback_app.echoes == 2)
    assert not is_verified(emulator)
    emulator.http.post("/emulator/reset")
    wait_until(lambda: is_verified(emulator))
    assert callback_app.echoes == 3


def test_the_url_is_verified_on_demand(start: StartEmulator, callback_app: CallbackApp) -> None:
    emulator = start_with_callback(start, callback_app.url)
    wait_until(lambda: is_verified(emulator))
    for echoes in (2, 3):
        done = verify(emulator)
        assert (done.exit_code, done.stdout) == (0, f'{{\n  "verified": "{callback_app.url}"\n}}\n')
        assert callback_app.echoes == echoes


@pytest.mark.parametrize("answer", ["wrong", "", '"{}"', "{}\n", " {}", "\ufeff{}"])
def test_an_answer_that_is_not_the_bare_echo_fails(
    start: StartEmulator, callback_app: CallbackApp, answer: str
) -> None:
    """Row 29: WeCom takes neither quotes nor a line end."""
    emulator = start_with_callback(start, callback_app.url)
    wait_until(lambda: is_verified(emulator))
    callback_app.echo_answers.append(answer.format(emulator.platform.clock.seconds()))
    done = verify(emulator)
    assert done.exit_code == 1
    assert "not the decrypted echostr" in done.stderr
    assert "without quotes or a line end" in done.stderr
    assert not is_verified(emulator)


@pytest.mark.parametrize(
    ("app_type", "named", "answer", "reason"),
    [
        ("self", "the corpid wwcallback are", (403, {}, b"forbidden"), 'status 403 "forbidden"'),
        ("third", "the provider's corpid wwprovider00000001 are", (302, {"location": "/elsewhere"}, b""), "status 302"),
    ],
)
def test_a_refusal_names_the_settings_that_may_differ_and_the_id_for_which_the_url_is_verified(
    start: StartEmulator, stack: ExitStack, app_type: str, named: str, answer: Response, reason: str
) -> None:
    url = stack.enter_context(http_server(lambda headers, body: answer, lambda path: answer))
    done = verify(start_with_callback(start, url, app_type=app_type))
    assert done.exit_code == 1
    assert done.stderr.startswith(f"Error: GET {url} answered HTTP {reason}: check that it takes GET requests")
    assert f"WWSPEC_CALLBACK_TOKEN, WWSPEC_ENCODING_AES_KEY and {named} the app's" in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_app_that_is_not_up_yet_is_a_warning_and_no_end(
    start: StartEmulator, callback_app: CallbackApp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    with free_socket() as nobody_listens:
        url = url_of(nobody_listens)
        emulator = start_with_callback(start, url)
        wait_until(lambda: "nothing answers" in caplog.text)
        [record] = caplog.records
        assert record.name == "uvicorn.error", "which is where `wwspec emulate` prints"
        assert record.getMessage() == (
            f"the callback URL is not verified: GET {url} failed, nothing answers (ConnectError): start the app, "
            "then run `wwspec zone verify-callback`"
        )
        done = verify(emulator)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"Error: GET {url} failed, nothing answers (ConnectError): start the app, then run")


def test_with_another_key_or_no_callback_url_the_verification_fails(start: StartEmulator, stack: ExitStack) -> None:
    done = verify(start())
    assert done.exit_code == 1
    assert done.stderr == (
        "Error: the emulator has no callback URL: start it with --callback-url, WWSPEC_CALLBACK_TOKEN and "
        "WWSPEC_ENCODING_AES_KEY\n"
    )
    assert verify(start_with_callback(start, CallbackApp(stack, "wwanother").url)).exit_code == 1
