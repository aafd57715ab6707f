"""`wwspec keys`: a key is on the disk before WeCom has it, and no line shows a private one."""

import json
import os
from pathlib import Path

from tests.cli.wecom import Shell
from tests.support.command import Running
from tests.support.waiting import wait_until
from wwspec_client import KeyRing
from wwspec_contracts import sync_msg
from wwspec_devtools.testing.zone import Zone

KEYS = Path("keys")
SESAME = "open sesame"


def versions(zone: Zone) -> set[int]:
    """Open the keys of messages with the ring of the folder; return the versions that sealed them."""
    ring = KeyRing.from_folder(KEYS)
    with zone.app_client() as client:
        sealed = [each.service_encrypt_info for each in client.call(sync_msg.Request(limit=3)).msg_list]
    assert all(len(ring.open(each)) == 32 for each in sealed)
    return {getattr(each, "public_key_ver", 0) for each in sealed}


def test_a_key_is_made_registered_rotated_and_listed(shell: Shell, zone: Zone) -> None:
    done = shell("keys", "new")
    assert (done.exit_code, done.stderr) == (0, "")
    made, registered = done.stdout.splitlines()
    assert made.startswith("keys/key-1.pem: made; version 1, SHA256:")
    assert registered == "registered; let the app load it: KeyRing.from_folder(Path('keys'))"
    assert versions(zone) == {1}
    again = shell("keys", "new")
    assert (again.exit_code, again.stderr) == (
        1,
        "Error: keys has version 1, which is registered: `wwspec keys rotate` makes the next one\n",
    )
    done = shell("keys", "rotate")
    assert done.stdout.splitlines()[1] == (
        "registered; new messages are sealed with version 2: let the app load keys again. "
        "Keep key-1.pem: messages until now need them"
    )
    assert versions(zone) == {2}
    done = shell("keys", "list", "--online", "--json")
    assert done.stderr == "500 messages are sealed with version 2\n"
    rows = json.loads(done.stdout)
    assert [(row["version"], row["mode"], row["state"], row["seals_messages"]) for row in rows] == [
        (1, "0600", "registered", False),
        (2, "0600", "registered", True),
    ]
    assert made.endswith(rows[0]["sha256"])
    (KEYS / "key-1.pem").chmod(0o640)
    (KEYS / "key-2.pem").unlink()
    open_one, missing = shell("keys", "list", "--online").stdout.splitlines()
    assert open_one.endswith("  registered; others can read it: chmod 600 keys/key-1.pem; seals none of them")
    assert missing == "2  -  -  -  missing; seals messages"


def test_without_a_base_url_a_key_goes_to_the_emulator_of_the_folder(shell: Shell, zone: Zone) -> None:
    at_emulator = {"WWSPEC_BASE_URL": None, "WWSPEC_CORPSECRET": None}
    done = shell("keys", "new", "--url", zone.client.url, **at_emulator)
    assert (done.exit_code, versions(zone)) == (0, {1})
    listed = shell("keys", "list", "--online", WWSPEC_EMULATOR_URL=zone.client.url, **at_emulator)
    assert listed.stderr == "500 messages are sealed with version 1\n"


def test_a_process_that_is_killed_before_wecom_has_answered_loses_no_key(shell: Shell, zone: Zone) -> None:
    zone.client.add_fault("app", "latency", "set_public_key", 30)
    environment = {name: value for name, value in shell.environment.items() if value is not None}
    with Running(["keys", "new"], Path.cwd(), {**os.environ, **environment}):
        wait_until(lambda: any(each["name"] == "set_public_key" for each in zone.client.traffic(kind="app")))
    left = KeyRing.from_folder(KEYS).fingerprint()
    assert (KEYS / "key-1.unregistered").exists()
    zone.client.clear_faults()
    zone.client.add_fault("app", "errcode", "set_public_key", -1)
    done = shell("keys", "new")
    assert done.exit_code == 1
    assert done.stderr.endswith("; `wwspec keys new` goes on with this key\n")
    zone.client.clear_faults()
    done = shell("keys", "rotate")
    assert done.stdout.splitlines()[0] == f"keys/key-1.pem: found, not registered yet; version 1, {left}"
    assert (done.exit_code, versions(zone)) == (0, {1})
    (KEYS / "key-1.unregistered").touch()  # as it is when the process ends after WeCom's answer
    assert (shell("keys", "new").exit_code, versions(zone)) == (0, {1})


def test_the_key_of_a_corps_own_app_goes_through_the_admin_console(shell: Shell, zone: Zone) -> None:
    zone.client.add_fault("app", "errcode", "set_public_key", 48002)
    done = shell("keys", "new")
    assert done.exit_code == 1
    assert done.stderr.endswith(
        "; a corp's own app has its key set in the admin console: wwspec keys new --no-register\n"
    )
    offline = {"WWSPEC_CORPID": None, "WWSPEC_CORPSECRET": None}
    done = shell("keys", "new", "--no-register", **offline)
    assert done.stdout == f"{KeyRing.from_folder(KEYS).public_key()}\n"
    assert done.stderr.endswith("set this public key as version 1, then: wwspec keys new --registered\n")
    assert shell("keys", "list", **offline).stdout.endswith("  not registered\n")
    assert shell("keys", "new", "--registered", **offline).exit_code == 0
    assert shell("keys", "list", **offline).stdout.endswith("  registered\n")
    done = shell("keys", "rotate", "--registered", **offline)
    assert done.stderr == "Error: keys has no key that is not registered: leave --registered out\n"


def test_a_version_that_wecom_refuses_gives_way_to_a_higher_one(shell: Shell, zone: Zone) -> None:
    shell("keys", "new", "--version", "5")
    assert versions(zone) == {5}
    done = shell("keys", "new", "--keys", "others")
    assert done.exit_code == 1
    assert "40212" in done.stderr
    assert done.stderr.endswith("shows which versions seal messages; give a higher one as --version\n")
    done = shell("keys", "new", "--keys", "others", "--version", "6")
    assert done.exit_code == 0
    done = shell("keys", "rotate", "--version", "5")
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (2, "Error: --version is 6 or more: keys has version 5")


def test_a_passphrase_comes_from_the_environment_a_file_or_a_prompt(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text(f"{SESAME}\n")
    done = shell("keys", "new", "--ask-passphrase", typed=f"{SESAME}\n{SESAME}\n")
    assert done.exit_code == 0
    assert "sesame" not in done.output
    shown = shell("keys", "list").stdout
    assert shown.endswith("  the private key of version 1 is not PEM, or its passphrase is another one\n")
    for found in (
        shell("keys", "list", "--key-passphrase-file", file),
        shell("keys", "list", WWSPEC_KEY_PASSPHRASE=SESAME),
        shell("keys", "list", "--ask-passphrase", typed=f"{SESAME}\n"),
    ):
        assert found.stdout.endswith("  registered\n")
    done = shell("keys", "list", "--key-passphrase", SESAME)
    assert (done.exit_code, "sesame" in done.output) == (2, False)
