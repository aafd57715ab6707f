"""The commands of `wwspec zone` that play the admin of a corp, and `--corp`."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.cli.zone.conftest import Wwspec, printed
from tests.support.emulator import Emulator, SealedProgram
from tests.support.rsa_keys import new_rsa_key
from wwspec_devtools.emulator.settings import EmulatorSettings

SECOND = "wwemulator00000002"


@pytest.fixture
def zone() -> Iterator[tuple[Emulator, SealedProgram]]:
    with ExitStack() as stack:
        program = SealedProgram(stack)
        settings: dict[str, Any] = {"messages": 30, "clock_start": 1_750_000_000, "program_url": program.url}
        emulator = Emulator(EmulatorSettings(app_type="third", corps=2, **settings), stack)
        program.key = emulator.key
        yield emulator, program


def test_an_authorisation_is_taken_back_given_again_ended_and_renewed(wwspec: Wwspec, emulator: Emulator) -> None:
    assert printed(wwspec("zone", "cancel"))["is_installed"] is False
    again = wwspec("zone", "cancel")
    assert again.exit_code == 1
    assert "wwspec zone authorize" in again.stderr
    installed = printed(wwspec("zone", "authorize", "--no-data", "--redirect", "--state", "s"))
    assert installed["is_installed"]
    assert installed["permissions"] == {}
    assert len(installed["auth_code"]) == 64
    granted = printed(wwspec("zone", "renew", "--permission", "chat"))["permissions"]
    assert granted == {"chat": {"is_granted": True, "ends": 1_750_000_000 + 90 * 86400}}
    assert printed(wwspec("zone", "expire"))["permissions"]["chat"]["is_granted"] is False
    assert emulator.sdk("sync_msg", {})["errcode"] == 710726
    taken = wwspec("zone", "authorize")
    assert taken.exit_code == 1
    assert "wwspec zone cancel" in taken.stderr


def test_the_authorisations_of_all_corps_are_listed(wwspec: Wwspec) -> None:
    printed(wwspec("zone", "cancel", "--corp", SECOND))
    rows = printed(wwspec("zone", "authorisations"))
    assert [(row["corpid"], row["is_installed"]) for row in rows] == [("wwemulator00000001", True), (SECOND, False)]
    table = wwspec("zone", "authorisations", "--table").stdout
    assert "模拟企业2" in table
    assert "chat until 20" in table


def test_what_the_provider_is_sent_is_in_the_record(wwspec: Wwspec) -> None:
    printed(wwspec("zone", "change"))
    assert wwspec("zone", "order", "advanced_api_insufficient", "--edition", "2").exit_code == 0
    ticket = printed(wwspec("zone", "push-ticket"))["suite_ticket"]
    assert ticket == "emulator-suite-ticket"
    rows = printed(wwspec("zone", "traffic", "--json", "--kind", "callback"))
    assert [row["name"] for row in rows] == ["change_auth", "advanced_api_insufficient", "suite_ticket"]
    assert ticket not in json.dumps(rows)
    assert "custom-developed" in wwspec("zone", "reset-code").stderr
    assert wwspec("zone", "order", "other").exit_code == 2


def test_the_public_key_of_a_self_built_app_is_set_as_in_the_console(
    wwspec: Wwspec, emulator: Emulator, tmp_path: Path
) -> None:
    file = tmp_path / "key.pem"
    file.write_bytes(new_rsa_key().public_key().export_key())
    assert printed(wwspec("zone", "public-key", str(file), "--version", "4")) == {"public_key_ver": 4}
    [message] = emulator.sdk("sync_msg", {"limit": 1})["msg_list"]
    assert message["service_encrypt_info"]["public_key_ver"] == 4
    file.write_text("no key")
    assert "PEM" in wwspec("zone", "public-key", str(file)).stderr


def test_verbs_choose_the_corp(wwspec: Wwspec, emulator: Emulator, program: SealedProgram) -> None:
    assert printed(wwspec("zone", "info", "--json", "--corp", SECOND))["corpid"] == SECOND
    assert printed(wwspec("fire", "hit_keyword", "--corp", SECOND))["event"]["event_type"] == "hit_keyword"
    assert program.calls[-1].corpid == SECOND
    said = printed(wwspec("zone", "say", "lina", "第二家", "--to", "mahui", "--corp", SECOND))["msgid"]
    assert [each["msgid"] for each in printed(wwspec("zone", "messages", "--text", "第二家", "--corp", SECOND))] == [
        said
    ]
    assert printed(wwspec("zone", "messages", "--text", "第二家")) == []
    printed(wwspec("call", "echo", "{}", "--corp", SECOND))
    assert program.calls[-1].corpid == SECOND
    printed(wwspec("call", "echo", "{}"))
    assert program.calls[-1].corpid == "wwemulator00000001"
    unknown = wwspec("zone", "info", "--corp", "wwother")
    assert unknown.exit_code == 1
    assert SECOND in unknown.stderr
