"""`wwspec dev --machines`: programs side by side, each with a port and a disk, that are stopped, started and wiped."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.test_dev import Start, greeting, shop as shop, start as start
from tests.support.neighbours import held_neighbours
from tests.support.waiting import wait_until


@pytest.mark.slow  # starts several processes, and two programs several times
def test_each_machine_has_its_own_disk_is_stopped_started_and_wiped_and_takes_calls_again_once_a_fault_is_fixed(
    start: Start, shop: Path, run: Run
) -> None:
    def zone(*words: str) -> list[Any]:
        done = run("zone", *words, cwd=shop)
        assert done.returncode == 0, done.stderr
        found: list[Any] = json.loads(done.stdout)
        return found

    with held_neighbours(2) as port:
        dev = start(shop, "--machines", "2", "--store", "sqlite:var/dev.db", "--port", str(port))
        dev.wait_for("watching")
        assert "on 2 machines: this port and those behind it" in dev.log
        first, second = shop / "var" / "machine-1", shop / "var" / "machine-2"
        assert (first / "dev.db").exists()
        for disk in (first, second):
            (disk / "note").touch()
        with dev.client as client:
            states = client.machines.states()
            assert [each["url"] for each in states] == [f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"]
            assert [greeting(client) for _ in range(4)] == ["hello!"] * 4
            assert [row["machine"] for row in client.traffic(kind="call")] == [1, 2, 1, 2]
            assert zone("machine", "wipe", "2")[1]["state"] == "unknown"
            assert (first / "note").exists()
            assert not (second / "note").exists()
            assert (second / "dev.db").exists()
            assert zone("machine", "stop", "1")[0]["state"] == "stopped"
            (shop / "words.py").write_text("WORD = 'bye'\n")
            wait_until(lambda: greeting(client) == "bye!")
            assert {row["machine"] for row in client.traffic(kind="call")[-2:]} == {2}
            assert client.machines.states()[0]["state"] == "stopped", "a restart starts no machine that is stopped"
            zone("machine", "start", "1")
            assert [greeting(client) for _ in range(2)] == ["bye!"] * 2
            assert [each["state"] for each in client.machines.states()] == ["up", "up"]
            assert [each["orders"] for each in zone("deploy")] == [3, 2]
            assert not (first / "note").exists()
            (shop / "words.py").write_text("WORD = hello\n")
            dev.wait_for("fix the fault")
            failed = run("zone", "machine", "wipe", "2", cwd=shop)
            assert (failed.returncode, failed.stdout) == (1, "")
            assert "machine 2: wwspec serve ended with exit code 1" in failed.stderr
            (shop / "words.py").write_text("WORD = 'good day'\n")
            wait_until(lambda: greeting(client) == "good day!")
            wait_until(lambda: client.machines.states()[1]["fault"] == "")
            assert [greeting(client) for _ in range(2)] == ["good day!"] * 2
            assert {row["machine"] for row in client.traffic(kind="call")[-2:]} == {1, 2}
