"""`wwspec call` and `job` as an app at WeCom, which is an emulator here: over HTTP and through the HTTPS proxy."""

import json
from pathlib import Path

import pytest

from tests.cli.wecom import Shell
from wwspec_devtools.cli.wecom import WECOM_URL
from wwspec_devtools.emulator.proxy.authority import Authority
from wwspec_devtools.emulator.proxy.proxy import Proxy
from wwspec_devtools.testing.zone import Zone


def test_a_call_prints_what_it_prints_through_the_emulators_own_way(shell: Shell, zone: Zone) -> None:
    call = ("call", "chat_digest", '{"limit": 3}')
    done = shell(*call)
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout)["messages"] == 3
    at_emulator = {"WWSPEC_EMULATOR_URL": zone.client.url, "WWSPEC_BASE_URL": None}
    for own in (shell(*call, "--url", zone.client.url), shell(*call, **at_emulator)):
        assert (own.stdout, own.exit_code) == (done.stdout, 0)
    zone.fire("conversation_new_message")
    done = shell("call", "get_callback_data", "--notify-id", zone.notified())
    assert json.loads(done.stdout)["event_type"] == "conversation_new_message"


def test_an_asynchronous_call_is_waited_for_or_fetched_later(shell: Shell, zone: Zone) -> None:
    done = shell("call", "--async", "chat_digest", '{"limit": 3}')
    assert json.loads(done.stdout)["messages"] == 3
    done = shell("call", "--async", "--wait", "0", "chat_digest", '{"limit": 3}')
    jobid = json.loads(done.stdout)["jobid"]
    assert done.stderr == f"`wwspec task {jobid} --base-url {zone.client.url}` prints the result\n"
    assert json.loads(shell("task", jobid, "--wait", "10", WWSPEC_PROGRAM_ID=None).stdout)["messages"] == 3
    zone.client.add_fault("app", "errcode", "async_program_result", 710642)
    early = shell("task", jobid)
    again = f"`wwspec task {jobid} --base-url {zone.client.url} --wait 30` waits for it"
    assert (early.exit_code, early.stderr) == (1, f"Error: {jobid}: there is no result yet; {again}\n")


def test_a_refusal_is_exit_code_1_with_errcode_and_hint(shell: Shell, zone: Zone) -> None:
    done = shell("call", "chat_digset")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "WeCom refuses with errcode 800003" in done.stderr
    assert done.stderr.endswith("; check the ability's ID: `wwspec abilities` lists those of the program\n")
    zone.client.add_fault("sdk", "errcode", "sync_msg", 301052)
    done = shell("call", "invoke_sync_msg")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["errcode"] == 301052
    assert "the SDK API answers errcode 301052" in done.stderr
    done = shell("task", "job_0")
    assert (done.exit_code, "40088" in done.stderr) == (1, True)


def test_the_proxy_leads_wecoms_own_url_to_the_emulator(shell: Shell, zone: Zone, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    host, port = zone.client.url.removeprefix("http://").split(":")
    with Proxy(authority, (host, int(port))) as proxy:
        proxied = {
            "HTTPS_PROXY": proxy.url,
            "SSL_CERT_FILE": str(authority.certificate),
            "NO_PROXY": "",
            "WWSPEC_BASE_URL": None,
        }
        done = shell("call", "chat_digest", '{"limit": 3}', "--base-url", WECOM_URL, **proxied)
        assert json.loads(done.stdout)["messages"] == 3
        code, lines = shell.lines("app", "check", "--keys", tmp_path / "keys", **proxied)
        assert code == 0
        assert lines["token"].startswith(f"ok {WECOM_URL} gives the app of corp ")


def test_a_wrong_mixture_of_places_is_exit_code_2(shell: Shell) -> None:
    both_set = "WWSPEC_EMULATOR_URL and WWSPEC_BASE_URL are both set: unset one, or give --url or --base-url"
    no_events = "WeCom has no API that fires an event: it sends one when something happens"
    for done, said in (
        (shell("task", "x", WWSPEC_EMULATOR_URL="http://127.0.0.1:1"), both_set),
        (shell("call", "x", WWSPEC_PROGRAM_ID=None), "the app is not named: set WWSPEC_PROGRAM_ID"),
        (shell("fire", "hit_keyword"), no_events),
    ):
        assert done.exit_code == 2
        assert done.stderr.splitlines()[-1].startswith(f"Error: {said}")


@pytest.mark.parametrize("verb", ["call chat_digest", "task", "app check", "keys new", "keys rotate", "keys list"])
def test_a_secret_of_the_app_comes_from_a_file_or_the_environment_only(shell: Shell, verb: str) -> None:
    names = ["corpsecret", "suite-secret", "suite-ticket", "permanent-code"]
    for name in [*names, *(["key-passphrase"] if "keys" in verb or "app" in verb else [])]:
        done = shell(*verb.split(), f"--{name}", "a-secret-of-4f2a")
        assert done.exit_code == 2
        assert f"--{name} would show a secret to every user of this machine: set " in done.stderr
        assert "4f2a" not in done.output
