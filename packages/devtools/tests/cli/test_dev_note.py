"""The note by which verbs find the emulator of the `wwspec dev` that runs in their folder."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.waiting import DEADLINE, wait_until
from tests.support.zones import running_child
from wwspec_contracts.errors import ConfigurationError
from wwspec_devtools.cli import emulator_options
from wwspec_devtools.cli.dev_note import NOTE, DevNote, keep_note, read_note
from wwspec_devtools.cli.emulator_options import FIRST_ANSWER
from wwspec_router.cli.main import main

HERE = DevNote("http://127.0.0.1:1", "http://127.0.0.1:2")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("WWSPEC_EMULATOR_URL", "WWSPEC_APP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refusal(*arguments: str) -> str:
    """Return the message of a verb that finds no emulator."""
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 1
    return done.stderr


def test_a_note_is_there_while_dev_runs_and_no_second_dev_replaces_it(folder: Path) -> None:
    assert read_note() is None
    with keep_note(folder, HERE):
        assert read_note() == HERE
        assert read_note(folder) == HERE
    assert read_note() is None
    assert list(folder.glob("var/*")) == []
    with keep_note(folder, HERE):
        with (
            pytest.raises(ConfigurationError, match=r"another emulator of this folder, http://127\.0\.0\.1:1"),
            keep_note(folder, DevNote("http://127.0.0.1:5", "")),
        ):
            pass
        assert read_note() == HERE


def test_verbs_talk_to_the_noted_emulator_first(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with keep_note(folder, HERE):
        for verb in (["zone", "info"], ["call", "buy"], ["fire", "hit_keyword"], ["task", "jobid_1"]):
            assert "no emulator answers at http://127.0.0.1:1 (var/dev.json): " in refusal(*verb)
        assert "at http://127.0.0.1:3 (--url): " in refusal("zone", "info", "--url", "http://127.0.0.1:3")
        monkeypatch.setenv("WWSPEC_EMULATOR_URL", "http://127.0.0.1:4")
        assert "at http://127.0.0.1:4 (WWSPEC_EMULATOR_URL): " in refusal("call", "buy")
    (tmp_path / "shop").mkdir()
    monkeypatch.delenv("WWSPEC_EMULATOR_URL")
    monkeypatch.setenv("WWSPEC_APP", "shop")
    with keep_note(tmp_path / "shop", HERE):
        assert "(shop/var/dev.json)" in refusal("zone", "info")


@pytest.mark.slow  # it waits for an answer
def test_who_has_the_port_of_the_emulator_and_says_nothing_is_named_soon() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        said = refusal("zone", "info", "--url", url)
    assert f"no emulator answers at {url} (--url) within {FIRST_ANSWER:g} seconds: something other than" in said
    assert f"listens there, as process {os.getpid()} in " in said


def test_the_note_of_a_dev_that_was_killed_is_ignored_and_replaced(folder: Path) -> None:
    code = (
        "import os\nfrom pathlib import Path\nfrom wwspec_devtools.cli.dev_note import DevNote, keep_note\n"
        "with keep_note(Path(), DevNote('http://127.0.0.1:9', '')):\n    os.kill(os.getpid(), 9)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code], cwd=folder, check=False)
    assert killed.returncode == -9
    assert json.loads((folder / NOTE).read_bytes())["emulator_url"] == "http://127.0.0.1:9"
    assert read_note() is None
    with keep_note(folder, HERE):
        assert read_note() == HERE


@pytest.mark.parametrize("content", ["", "[", '{"emulator_url": 1}'])
def test_a_note_that_somebody_else_wrote_is_ignored(folder: Path, content: str) -> None:
    (folder / "var").mkdir()
    (folder / NOTE).write_text(content)
    assert read_note() is None


def test_without_a_note_a_verb_takes_no_emulator_of_another_folder_and_says_which_one_it_takes(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = tmp_path_factory.mktemp("shop")
    with running_child(["emulate", "--port", "0"], {"WWSPEC_APP": str(app)}, app / "log") as emulator:
        url = emulator.announced_url()
        monkeypatch.setattr(emulator_options, "DEFAULT_URL", url)
        said = refusal("zone", "info")
        assert f"the emulator at {url} is that of {app}, and this folder is {folder}: run `wwspec dev` here" in said
        done = CliRunner().invoke(main, ["zone", "info", "--url", url])
        assert (done.exit_code, done.stderr) == (0, "")
        monkeypatch.chdir(app)
        done = CliRunner().invoke(main, ["zone", "info", "--json"])
        assert (done.exit_code, done.stderr) == (0, f"emulator: {url}\n")
        assert json.loads(done.stdout)["folder"] == str(app)


@pytest.mark.slow  # new interpreters
@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGTERM])
def test_emulate_notes_where_it_listens_until_it_ends(folder: Path, ends: signal.Signals) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "WWSPEC_CONFIG"}
    command = [sys.executable, "-m", "wwspec_router", "emulate", "--port", "0"]
    with (folder / "log").open("wb") as log:
        emulator = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: read_note() is not None)
        done = CliRunner().invoke(main, ["zone", "info", "--json"])
        assert (done.exit_code, json.loads(done.stdout)["folder"]) == (0, str(folder))
        emulator.send_signal(ends)
        emulator.wait(DEADLINE)
    finally:
        emulator.kill()
        emulator.wait()
    assert not (folder / NOTE).exists()


def test_a_folder_that_takes_no_note_is_named(folder: Path) -> None:
    (folder / "var").write_text("a file")
    with pytest.raises(ConfigurationError, match=r"var/dev\.json can't be written: "), keep_note(folder, HERE):
        pass
    assert read_note() is None
