"""Each verb: what it prints, where, and its exit code."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.cli.conftest import Ports, Run
from tests.support.apps import ROOT
from tests.support.processes import command_lines
from tests.support.redis_server import local_redis
from tests.support.tools import tool
from tests.support.zones import forked_child
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.testing.app import App
from wwspec_devtools.testing.zone import Zone
from wwspec_router.process.child import Child


def test_wrong_usage_is_exit_code_2(run: Run) -> None:
    done = run("serve", "--port", "99999")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--port" in done.stderr


def test_an_unknown_verb_is_exit_code_2(run: Run) -> None:
    assert run("sevre").returncode == 2


def test_abilities_lists_what_answers_each_id(run: Run) -> None:
    done = run("abilities")
    assert done.returncode == 0
    assert re.search(r"^chat_history +SDK API sync_msg$", done.stdout, re.MULTILINE)
    assert re.search(r"^chat_digest +handler abilities.chat_digest:digest  within 10 s$", done.stdout, re.MULTILINE)


def test_abilities_as_json_is_for_programs(run: Run) -> None:
    rows = {row["ability_id"]: row for row in json.loads(run("abilities", "--json").stdout)}
    assert rows["get_callback_data"]["target"] == "stored event by notify_id"
    assert rows["invoke_sync_msg"]["timeout"] is None


@pytest.fixture
def replacing(tmp_path: Path) -> Path:
    """An application that replaces one contract of WeCom's and adds one."""
    contract = (
        "from wwspec_contracts.base import ApiRequest, Contract, Output\n\n\n"
        "class Response(Output):\n    greeting: str = ''\n\n\nclass Request(ApiRequest[Response]):\n    name: str\n\n\n"
        "class Event(Contract):\n    event_type: str\n"
    )
    for name in ("api/sync_msg.py", "api/greet.py", "events/hit_keyword.py"):
        path = tmp_path / "app" / "schemas" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(contract, "utf-8")
    registry = tmp_path / "app" / "abilities" / "registry.toml"
    registry.parent.mkdir()
    registry.write_text(
        "[passthrough]\nprefix = 'invoke_'\napis = ['greet', 'sync_msg', 'get_group_chat']\n"
        "[abilities.event]\nkind = 'callback_data'\n[abilities.func]\nkind = 'func'\napis = ['sync_msg']\n"
    )
    return tmp_path / "app"


def test_abilities_names_the_contracts_that_the_application_replaces_or_adds(run: Run, replacing: Path) -> None:
    done = run("abilities", "--app", str(replacing))
    assert done.stdout.splitlines() == [
        "event                  stored event by notify_id",
        "func                   input.func, 2 functions",
        "invoke_get_group_chat  SDK API get_group_chat",
        "invoke_greet           SDK API greet",
        "invoke_sync_msg        SDK API sync_msg",
        "schemas/api/greet.py adds the contract of SDK API greet",
        "schemas/api/sync_msg.py replaces the shipped contract of SDK API sync_msg",
        "schemas/events/hit_keyword.py replaces the shipped contract of event hit_keyword",
    ]


def test_abilities_as_json_names_the_applications_contracts_of_each(run: Run, replacing: Path) -> None:
    rows = json.loads(run("abilities", "--json", "--app", str(replacing)).stdout)
    assert {row["ability_id"]: row["own_contracts"] for row in rows} == {
        "event": ["schemas/events/hit_keyword.py"],
        "func": ["schemas/api/sync_msg.py", "schemas/events/hit_keyword.py"],
        "invoke_get_group_chat": [],
        "invoke_greet": ["schemas/api/greet.py"],
        "invoke_sync_msg": ["schemas/api/sync_msg.py"],
    }


def test_check_says_that_there_is_no_fault(run: Run) -> None:
    done = run("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.rstrip().endswith("no fault")


def test_check_names_every_fault_with_its_row_and_fix(run: Run, tmp_path: Path) -> None:
    registry = tmp_path / "registry.toml"
    registry.write_text(
        '[abilities.one]\napi = "no_such"\n\n[abilities.two]\nhandelr = "x"\n\n[abilities.three]\nkind = 1\n'
    )
    done = run("check", "--registry", str(registry))
    assert (done.returncode, done.stdout) == (1, "")
    assert "registry.toml:4 [abilities.two]: unknown key handelr; did you mean handler?" in done.stderr
    assert "registry.toml:7 [abilities.three]: kind: " in done.stderr
    assert "Traceback" not in done.stderr


def test_serve_without_the_vendor_sdk_refuses_to_start_and_names_the_fix(run: Run) -> None:
    done = run("serve", "--port", "0", "--store", "memory:")
    assert done.returncode == 1
    assert "wwspecapisdk.so" in done.stderr
    assert "100057" in done.stderr
    assert "--sdk emulator" in done.stderr


def test_serve_refuses_a_store_that_its_workers_would_not_share(run: Run) -> None:
    done = run("serve", "--port", "0", "--store", "memory:", "--workers", "2", "--sdk", "emulator")
    assert done.returncode == 1
    assert "worker processes don't share it" in done.stderr


def test_serve_says_who_holds_the_port(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("serve", "--port", port, "--store", "memory:", "--sdk", "emulator")
    assert done.returncode == 1
    assert f"127.0.0.1:{port} can't be opened" in done.stderr


def test_emulate_binds_to_loopback_only(run: Run) -> None:
    done = run("emulate", "--host", "0.0.0.0", "--port", "0")  # noqa: S104 - must be refused
    assert done.returncode == 1
    assert "loopback only" in done.stderr


def test_contracts_prints_what_to_paste(run: Run) -> None:
    contracts = json.loads(run("contracts", "invoke_spec_notify_app").stdout)
    assert set(contracts["invoke_spec_notify_app"]["input"]) == {"notify_id", "notify_scene"}


def test_contracts_of_an_unknown_ability_is_an_error(run: Run) -> None:
    done = run("contracts", "no_such")
    assert done.returncode == 1
    assert "no such ability: no_such; `wwspec abilities` lists them" in done.stderr
    assert "chat_dgest; did you mean chat_digest?" in run("contracts", "chat_dgest").stderr


def test_what_is_nearly_an_ability_or_an_event_is_asked_back(run: Run, zone: Zone) -> None:
    called = run("call", "invoke_sync_mgs", "--url", zone.client.url)
    assert (called.returncode, called.stdout) == (1, "")
    assert "did you mean invoke_sync_msg?" in called.stderr
    fired = run("fire", "hit_keywords", "--url", zone.client.url)
    assert (fired.returncode, fired.stdout) == (1, "")
    assert "no such event; did you mean hit_keyword?" in fired.stderr


def test_call_prints_the_programs_reply(run: Run, zone: Zone) -> None:
    done = run("call", "invoke_sync_msg", '{"limit": 1}', "--url", zone.client.url)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["msg_list"]) == 1


def test_call_fails_when_the_platform_refuses(run: Run, zone: Zone) -> None:
    done = run("call", "no_such_ability", "--url", zone.client.url)
    assert (done.returncode, done.stdout) == (1, "")
    assert "800003" in done.stderr


def test_call_fails_when_the_program_refuses(run: Run, zone: Zone) -> None:
    done = run("call", "get_callback_data", "--url", zone.client.url)
    assert done.returncode == 1
    assert json.loads(done.stdout)["errcode"] == 710660


def test_call_without_an_emulator_says_how_to_start_one(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    done = run("call", "invoke_sync_msg", "--url", url)
    assert done.returncode == 1
    assert "wwspec dev" in done.stderr


def test_fire_prints_the_event_and_the_notification(run: Run, zone: Zone) -> None:
    done = run("fire", "auth_knowledge_base", "--set", "knowledge_base_name=Prices", "--url", zone.client.url)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert printed["event"]["auth_knowledge_base"]["knowledge_base_name"] == "Prices"
    notify_id = printed["notified"][0]["notify_id"]
    fetched = run("call", "get_callback_data", "--notify-id", notify_id, "--url", zone.client.url)
    assert json.loads(fetched.stdout) == printed["event"]


def test_fire_of_an_unknown_event_lists_the_known_ones(run: Run, zone: Zone) -> None:
    done = run("fire", "no_such_event", "--url", zone.client.url)
    assert done.returncode == 1
    assert "conversation_new_message" in done.stderr


def test_demo_plays_the_flow_and_ends(run: Run, ports: Ports) -> None:
    port, emulator_port = ports
    done = run("demo", "--once", "--port", port, "--emulator-port", emulator_port)
    assert done.returncode == 0, done.stderr
    assert "program_notify -> app" in done.stdout
    assert re.search(r"\d+ messages in \d+ pages", done.stdout)


@pytest.mark.slow  # it waits for the ports of others, and starts program and emulator
def test_demo_plays_the_flow_beside_what_has_the_usual_ports(run: Run) -> None:
    with ExitStack() as stack:
        for port in (8080, 8090):
            with suppress(OSError):  # who has it already does as well
                stack.enter_context(socket.create_server(("127.0.0.1", port)))
        done = run("demo", "--once")
        assert done.returncode == 0, done.stderr
        assert re.search(r"\d+ messages in \d+ pages", done.stdout)
        refused = run("demo")
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "port 8080 is taken, so nothing was started" in refused.stderr


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


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Path]:
    """An application with one ability, to be edited."""
    app = tmp_path / "app"
    for package in ("abilities", "schemas", "schemas/api", "schemas/events"):
        (app / package).mkdir(parents=True)
        (app / package / "__init__.py").touch()
    (app / "abilities" / "registry.toml").write_text('[abilities.greet]\nhandler = "abilities.greeting:greet"\n')
    _write_greeting(app, "hello")
    yield app


@pytest.mark.slow  # starts several processes; that secrets are handed on by the environment is in test_dev.py
def test_dev_hides_the_password_of_its_store(application: Path, tmp_path: Path, ports: Ports) -> None:
    """Row 4: the program that it starts is given the store's URL by its environment."""
    secret = "a-secret-of-4f2a"  # noqa: S105 - to be searched for
    port, emulator_port = ports
    options = ["--app", str(application), "--port", port, "--emulator-port", emulator_port]
    with local_redis(tmp_path, "--requirepass", secret, "--appendonly", "no") as redis:
        dev = Child(["dev", *options], {"WWSPEC_STORE": f"unix://:{secret}@{redis.path}"}, tmp_path / "dev.log")
        try:
            dev.wait_for(re.compile("watching"))
            lines = command_lines(dev.process.pid)
        finally:
            dev.process.send_signal(signal.SIGINT)
            dev.stop()
    verbs = [line.partition(" -m wwspec_router ")[2].split()[0] for line in lines]
    served = Counter(dev=1, emulate=1, serve=2)  # a parent and its worker
    assert Counter(verbs) >= served, "and those that wait for the next start, if they are there yet"
    assert not any(secret in line for line in lines)
    log = (tmp_path / "dev.log").read_text()
    assert f"store {redis.path}" in log
    assert re.search("WARN.*store: it keeps no append-only file.*: set appendonly yes", log)


@pytest.mark.slow  # starts several processes
def test_dev_restarts_the_program_when_a_file_changes(application: Path, tmp_path: Path, ports: Ports) -> None:
    port, emulator_port = ports
    output = tmp_path / "dev.log"
    options = ["--app", str(application), "--port", port, "--emulator-port", emulator_port, "--store", "memory:"]
    dev = forked_child(["dev", *options], output=output)
    try:
        with EmulatorClient(f"http://127.0.0.1:{emulator_port}") as emulator:
            dev.wait_for(re.compile("watching"))
            assert App(emulator).call("greet").reply["text"] == "hello"
            (application / "abilities" / "greeting.py").write_text("def broken(:\n")
            dev.wait_for(re.compile("fix the fault"))
            _write_greeting(application, "good day")
            dev.wait_for(re.compile("up again"))
            assert App(emulator).call("greet").reply["text"] == "good day"
    finally:
        dev.process.send_signal(signal.SIGINT)
        dev.stop()
    assert dev.process.returncode == 0


def test_the_module_is_the_command(run: Run) -> None:
    done = subprocess.run([Path(sys.executable).parent / "wwspec", "--version"], capture_output=True, text=True)
    assert done.stdout == run("--version").stdout.replace("python -m wwspec_router", "wwspec")
    assert str(ROOT) not in done.stdout


def _write_greeting(app: Path, text: str) -> None:
    (app / "abilities" / "greeting.py").write_text(
        "from wwspec_router import Contract, Output, ability\n\n\n"
        "class Reply(Output):\n    text: str = ''\n\n\n"
        f"@ability\ndef greet(request: Contract) -> Reply:\n    return Reply(text={text!r})\n"
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])  # noqa: S104 - must be refused
def test_serve_with_the_emulators_key_is_for_this_machine_only(run: Run, host: str) -> None:
    done = run("serve", "--sdk", "emulator", "--port", "0", "--store", "memory:", "--host", host)
    assert done.returncode == 1
    assert f"--sdk emulator listens on loopback only, not on {host!r}" in done.stderr
    assert "--allow-remote" in done.stderr


def test_serve_with_the_emulators_key_is_reached_from_elsewhere_when_that_is_allowed(tmp_path: Path) -> None:
    options = ["--port", "0", "--store", "memory:", "--host", "0.0.0.0", "--allow-remote"]  # noqa: S104 - wanted
    child = forked_child(["serve", "--sdk", "emulator", "--app", str(ROOT), *options], output=tmp_path / "log")
    try:
        assert child.announced_url().startswith("http://0.0.0.0:")
    finally:
        child.stop()
