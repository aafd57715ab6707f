"""Each verb: what it prints, where, and its exit code."""

import json
import re
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.conftest import Ports, Run
from tests.cli.test_dev import shop as shop
from tests.support.apps import ROOT, write_files
from tests.support.processes import command_lines
from tests.support.redis_server import local_redis
from tests.support.tools import tool
from tests.support.zones import running_child
from wwspec_devtools.child import Child


def test_standin_prints_the_folder_that_a_program_in_java_compiles_with(run: Run) -> None:
    [folder] = run("standin", "java").stdout.splitlines()
    classes = {path.stem: path.read_text("utf-8") for path in Path(folder, "com/tencent/wework").iterdir()}
    assert {"SpecCallbackSDK", "SpecSDK"} <= {*classes}
    code = [line for text in classes.values() for line in text.splitlines() if re.match(r" *[^ /*]", line)]
    assert len(code) <= 300
    other = run("standin", "go")
    assert (other.returncode, other.stdout) == (2, "")
    assert "'go' is not 'java'" in other.stderr


def test_abilities_names_the_contracts_that_the_application_replaces_or_adds_and_as_json_those_of_each(
    run: Run, tmp_path: Path
) -> None:
    contract = (
        "from wwspec_contracts.base import ApiRequest, Contract, Output\n\n\n"
        "class Response(Output):\n    greeting: str = ''\n\n\nclass Request(ApiRequest[Response]):\n    name: str\n\n\n"
        "class Event(Contract):\n    event_type: str\n"
    )
    own = {f"schemas/{name}.py": contract for name in ("api/sync_msg", "api/greet", "events/hit_keyword")}
    registry = (
        "[passthrough]\nprefix = 'invoke_'\napis = ['greet', 'sync_msg', 'get_group_chat']\n"
        "[abilities.event]\nkind = 'callback_data'\n[abilities.func]\nkind = 'func'\napis = ['sync_msg']\n"
    )
    app = write_files(tmp_path / "app", {**own, "abilities/registry.toml": registry})
    done = run("abilities", "--app", str(app))
    assert done.stdout.splitlines() == [
        "answers                with                       declared at",
        "event                  stored event by notify_id  abilities/registry.toml:4 [abilities.event]",
        "func                   input.func, 2 functions    abilities/registry.toml:6 [abilities.func]",
        "invoke_get_group_chat  SDK API get_group_chat     abilities/registry.toml:1 [passthrough]",
        "invoke_greet           SDK API greet              abilities/registry.toml:1 [passthrough]",
        "invoke_sync_msg        SDK API sync_msg           abilities/registry.toml:1 [passthrough]",
        "schemas/api/greet.py adds the contract of SDK API greet",
        "schemas/api/sync_msg.py replaces the shipped contract of SDK API sync_msg",
        "schemas/events/hit_keyword.py replaces the shipped contract of event hit_keyword",
    ]
    rows = json.loads(run("abilities", "--json", "--app", str(app)).stdout)
    assert (rows[0]["target"], rows[2]["timeout"]) == ("stored event by notify_id", None)
    assert {row["ability_id"]: row["own_contracts"] for row in rows} == {
        "event": ["schemas/events/hit_keyword.py"],
        "func": ["schemas/api/sync_msg.py", "schemas/events/hit_keyword.py"],
        "invoke_get_group_chat": [],
        "invoke_greet": ["schemas/api/greet.py"],
        "invoke_sync_msg": ["schemas/api/sync_msg.py"],
    }


def test_demo_plays_the_flow_and_ends(run: Run, ports: Ports) -> None:
    port, emulator_port = ports
    done = run("demo", "--once", "--port", port, "--emulator-port", emulator_port)
    assert done.returncode == 0, done.stderr
    assert "program_notify -> app" in done.stdout
    assert re.search(r"\d+ messages in \d+ pages", done.stdout)


@pytest.mark.slow  # starts several processes
def test_demo_keeps_serving_and_its_curl_lines_work(tmp_path: Path, ports: Ports) -> None:
    tool("curl")
    port, emulator_port = ports
    output = tmp_path / "demo.log"
    demo = Child(["demo", "--port", port, "--emulator-port", emulator_port], {"PYTHONUNBUFFERED": "1"}, output)
    try:
        demo.wait_for(re.compile("sync_call_program\\?access_token=.*'"))
        [line] = [line for line in output.read_text().splitlines() if line.startswith("  curl ")]
        call = subprocess.run(["bash", "-c", f"{line} -s"], capture_output=True, check=True)  # noqa: S607
        assert len(json.loads(json.loads(call.stdout)["response_data"])["msg_list"]) == 2
        assert not any("token" in line for line in command_lines(demo.process.pid)), "row 4"
    finally:
        demo.process.send_signal(signal.SIGINT)
        demo.stop()
    assert demo.process.returncode == 0


@pytest.mark.slow  # starts several processes; that secrets are handed on by the environment is in test_dev.py
def test_dev_hides_the_password_of_its_store(shop: Path, tmp_path: Path, ports: Ports) -> None:
    """Row 4: the program that it starts is given the store's URL by its environment."""
    secret = "a-secret-of-4f2a"  # noqa: S105 - to be searched for
    port, emulator_port = ports
    options = ["--app", str(shop), "--port", port, "--emulator-port", emulator_port]
    with local_redis(tmp_path, "--requirepass", secret, "--appendonly", "no") as redis:
        dev = Child(["dev", *options], {"WWSPEC_STORE": f"unix://:{secret}@{redis.path}"}, tmp_path / "dev.log")
        try:
            dev.wait_for(re.compile("watching"))
            lines = command_lines(dev.process.pid)
        finally:
            dev.process.send_signal(signal.SIGINT)
            dev.stop()
    assert dev.process.returncode == 0
    verbs = [re.split(r" -m wwspec_(?:router|devtools.prestart) ", line)[1].split()[0] for line in lines]
    served = Counter(dev=1, emulate=1, serve=2)  # a parent and its worker
    assert Counter(verbs) >= served, "and those that wait for the next start, if they are there yet"
    assert not any(secret in line for line in lines)
    log = (tmp_path / "dev.log").read_text()
    assert f"store {redis.path}" in log
    assert re.search("WARN.*store: it keeps no append-only file.*: set appendonly yes", log)


def test_the_module_is_the_command(run: Run) -> None:
    done = subprocess.run([Path(sys.executable).parent / "wwspec", "--version"], capture_output=True, text=True)
    assert done.stdout == run("--version").stdout.replace("python -m wwspec_router", "wwspec")
    assert str(ROOT) not in done.stdout


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])  # noqa: S104 - must be refused
def test_serve_with_the_emulators_key_is_for_this_machine_only(run: Run, host: str) -> None:
    done = run("serve", "--sdk", "emulator", "--port", "0", "--store", "memory:", "--host", host)
    assert done.returncode == 1
    assert f"--sdk emulator listens on loopback only, not on {host!r}" in done.stderr
    assert "--allow-remote" in done.stderr


def test_serve_with_the_emulators_key_is_reached_from_elsewhere_when_that_is_allowed(tmp_path: Path) -> None:
    options = ["--port", "0", "--store", "memory:", "--host", "0.0.0.0", "--allow-remote"]  # noqa: S104 - wanted
    with running_child(["serve", "--sdk", "emulator", "--app", str(ROOT), *options], output=tmp_path / "log") as child:
        assert child.announced_url().startswith("http://0.0.0.0:")


LONG = "a" * 300


@pytest.mark.parametrize(
    "arguments",
    [("serve", "--app", LONG), ("check", "--app", LONG), ("shapes", "record", LONG), ("check",)],
    ids=" ".join,
)
def test_a_name_that_is_too_long_for_a_file_is_one_line(arguments: tuple[str, ...], run: Run, tmp_path: Path) -> None:
    row = f"[abilities.a]\napi = 'sync_msg'\ninput = '{LONG}.json'\n"
    done = run(*arguments, cwd=write_files(tmp_path, {"abilities/registry.toml": row}))
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert re.search("File name too long|the name of this file is too long", done.stderr)
