"""`wwspec emulate --program`: a zone program that runs as long as the emulator does."""

import logging
import os
import shlex
import signal
import socket
import sys
import threading
from pathlib import Path

import pytest

from tests.support.command import wwspec
from tests.support.emulator import free_socket, url_of
from tests.support.neighbours import held_neighbours
from tests.support.waiting import DEADLINE, wait_until
from tests.support.zones import running_child
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.program import launch as launch_module
from wwspec_devtools.emulator.program.launch import Launch
from wwspec_devtools.emulator.settings import STANDIN_DIRECTORY
from wwspec_devtools.testing.app import App

PROGRAM = Path(__file__).with_name("httpserver_program.py")

LISTENING = """
import os, pathlib, signal, socket, sys
signal.signal(signal.SIGTERM, signal.{handler})
listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
pathlib.Path(sys.argv[2]).write_text(os.environ["PYTHONPATH"] + "\\n" + os.environ["WWSPEC_EMULATOR_URL"])
while True:
    signal.pause()
"""


def free_url() -> str:
    with free_socket() as bound:
        return url_of(bound)


def command(code: str, *arguments: str) -> str:
    return shlex.join([sys.executable, "-c", code, *arguments])


def refuses(url: str) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port_of(url)), 1).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:  # its process ends just now
        return False
    return False


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def never() -> None:
    pytest.fail("the program did not end by itself")


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)],  # ends it as SIGTERM does
)
def test_the_emulator_starts_a_program_calls_it_and_ends_it(tmp_path: Path, number: signal.Signals) -> None:
    program_url = free_url()
    started = shlex.join([sys.executable, str(PROGRAM), str(port_of(program_url))])
    arguments = ["emulate", "--port", "0", "--program-url", program_url, "--program", started]
    with running_child(arguments, output=tmp_path / "log") as emulator:
        with EmulatorClient(emulator.announced_url()) as client:
            wait_until(lambda: f"accepts connections at {program_url}" in (tmp_path / "log").read_text())
            result = App(client).call("any", {"input": {"func": "sync_msg", "func_req": {"limit": 1}}})
            assert result.reply["errcode"] == 0
            assert len(result.reply["msg_list"]) == 1
        emulator.process.send_signal(number)
        assert emulator.process.wait(DEADLINE) == 0
    assert refuses(program_url)


def test_a_program_that_ends_by_itself_ends_the_emulator_with_its_exit_code(tmp_path: Path) -> None:
    arguments = ["emulate", "--port", "0", "--program", command("raise SystemExit(3)")]
    with running_child(arguments, output=tmp_path / "log") as emulator:
        assert emulator.process.wait(DEADLINE) == 1
    text = (tmp_path / "log").read_text()
    assert "Error: the program ended with exit code 3: " in text
    assert "Traceback" not in text


def test_a_program_finds_the_stand_in_and_the_emulator(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    caplog.set_level(logging.INFO)
    url, found = free_url(), tmp_path / "found"
    line = command(LISTENING.format(handler="SIG_DFL"), str(port_of(url)), str(found))
    with Launch(line, "http://127.0.0.1:1", url, never) as launch:
        wait_until(lambda: f"the program accepts connections at {url}" in caplog.text)
        wait_until(lambda: found.exists() and found.read_text().count("\n") == 1)
    launch.check()
    path, emulator_url = found.read_text().split("\n")
    assert path.split(os.pathsep) == [str(STANDIN_DIRECTORY), "/elsewhere"], "and not the libraries of the emulator"
    assert emulator_url == "http://127.0.0.1:1"
    assert "emulator-program" not in [thread.name for thread in threading.enumerate()]


def test_a_program_that_ignores_sigterm_is_killed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch_module, "STOP_SECONDS", 0.1)
    caplog.set_level(logging.INFO)
    url = free_url()
    line = command(LISTENING.format(handler="SIG_IGN"), str(port_of(url)), str(tmp_path / "found"))
    with Launch(line, "http://127.0.0.1:1", url, never) as launch:
        wait_until(lambda: f"the program accepts connections at {url}" in caplog.text)
    launch.check()
    assert refuses(url)
    assert "killing it" in caplog.text


def test_a_program_that_leaves_children_behind_is_ended_with_them(tmp_path: Path) -> None:
    url, found = free_url(), tmp_path / "found"
    child = command(LISTENING.format(handler="SIG_IGN"), str(port_of(url)), str(found))
    with Launch(shlex.join(["sh", "-c", f"{child} & wait"]), "http://127.0.0.1:1", url, never):
        wait_until(found.exists)
    wait_until(lambda: refuses(url))


def test_a_program_that_listens_nowhere_is_warned_of(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch_module, "START_SECONDS", 0.0)
    url = free_url()
    with Launch(command("import signal; signal.pause()"), "http://127.0.0.1:1", url, never):
        wait_until(lambda: f"nothing listens at {url} yet" in caplog.text)


@pytest.mark.parametrize("line", ["/no/such/program", "'unclosed", "  "])
def test_a_command_that_can_not_be_started_is_refused(line: str) -> None:
    with pytest.raises(ConfigurationError, match="can't be started"):
        Launch(line, "http://127.0.0.1:1", "http://127.0.0.1:2", never)


def test_each_machine_has_a_program_with_a_port_of_its_own(tmp_path: Path) -> None:
    with held_neighbours(2) as first:
        program_url = f"http://127.0.0.1:{first}"
        started = f"{shlex.join([sys.executable, str(PROGRAM)])} "
        arguments = ["emulate", "--port", "0", "--program-url", program_url, "--machines", "2", "--program"]
        refused = wwspec(tmp_path, *arguments, f"{started}{first}")
        assert refused.returncode == 1
        assert "each machine needs a port of its own: write {port} for it in --program" in refused.stderr
        with (
            running_child([*arguments, f"{started}{{port}}"], output=tmp_path / "log") as emulator,
            EmulatorClient(emulator.announced_url()) as client,
        ):
            wait_until(lambda: (tmp_path / "log").read_text().count("the program accepts connections at") == 2)
            notify = {"input": {"func": "spec_notify_app", "func_req": {"notify_id": "made_here"}}}
            assert App(client).call("any", {"input": {"func": "none", "func_req": {}}}).errcode == 710660
            App(client).call("any", notify)  # of the second machine, as the first had its turn
            for _ in range(2):
                App(client).call("any", {"input": {"func": "none", "func_req": {}}}, "made_here")
            assert [row["machine"] for row in client.traffic(kind="call")] == [1, 2, 2, 2]
            assert [row["machine"] for row in client.traffic(kind="sdk")] == [2]
