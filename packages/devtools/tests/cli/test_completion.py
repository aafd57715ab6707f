"""What shells complete: in a real bash, and for zsh and fish by what click answers them."""

import os
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from tests.support.apps import write_files
from tests.support.emulator import serving
from tests.support.processes import finished
from tests.support.tables import for_each
from wwspec_devtools.cli.dev_note import DevNote, keep_note
from wwspec_devtools.cli.verbs.completion import SHELLS
from wwspec_devtools.emulator.http.app import create_app
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.emulator.settings import EmulatorSettings
from wwspec_router.cli.main import main

REGISTRY = """
[passthrough]
prefix = "invoke_"
apis = "*"
[func]
prefix = "input_"
apis = ["sync_msg"]
[abilities.chat_digest]
handler = "no.such.module:digest"
[abilities."two words"]
api = "sync_msg"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An application, as the current folder, whose handlers can't be imported."""
    for name in [each for each in os.environ if each.startswith("WWSPEC_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return write_files(
        tmp_path,
        {"abilities/registry.toml": REGISTRY, "schemas/api/greet.py": "1/0", "schemas/events/greeted.py": "1/0"},
    )


def completed(*words: str) -> list[str]:
    """What the last word is completed to."""
    found = ShellComplete(main, {}, "wwspec", "_WWSPEC_COMPLETE").get_completions([*words[:-1]], words[-1])
    return [item.value for item in found]


def test_bash_completes_verbs_options_and_ability_ids(folder: Path) -> None:
    script = (
        'eval "$(wwspec completion bash)"\n'
        'complete_words() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _wwspec_completion wwspec; '
        'echo "${COMPREPLY[@]}"; }\n'
        "complete_words wwspec doc\ncomplete_words wwspec call chat\ncomplete_words wwspec serve --queue-\n"
        "complete_words wwspec zone fault pro\ncomplete_words wwspec fire hit\ncomplete_words wwspec call zzz\n"
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = finished("bash", "--norc", "-c", script, cwd=folder, env={**os.environ, "PATH": path})
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["doctor", "chat_digest", "--queue-timeout", "program", "hit_keyword", ""]


@for_each(
    [
        ("call c", ["chat_digest"]),
        ("call invoke_gr", ["invoke_greet"]),
        ("call two", []),  # a shell would split the ID
        ("contracts chat_digest input_", ["input_sync_msg"]),
        ("keys ", ["list", "new", "rotate"]),
        ("app check --ability chat", ["chat_digest"]),
        ("fire g", ["greeted"]),
        ("zone fault s", ["sdk"]),
        ("zone fault sdk err", ["errcode"]),
        ("zone fault sdk latency --api gre", ["greet", "greeted"]),
        ("zone fault sdk errcode 4500", ["45009"]),
        ("zone fault sdk latency 4500", []),
        ("zone traffic --errcode 4500", ["45009"]),
    ]
)
def test_a_word_is_completed_to_what_may_stand_there(line: str, expected: list[str], folder: Path) -> None:
    assert completed(*line.split(" ")) == expected


def test_folder_and_registry_file_may_be_named(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    assert completed("call", "") == []
    assert completed("contracts", "--app", str(folder), "chat") == ["chat_digest"]
    monkeypatch.setenv("WWSPEC_APP", str(folder))
    assert completed("call", "chat") == ["chat_digest"]
    text = '[abilities.other]\napi = "sync_msg"\n'
    write_files(folder, {"other.toml": text, "wwspec.toml": '[serve]\nregistry = "other.toml"\n'})
    assert completed("call", "") == ["other"]


def test_a_program_of_one_file_has_the_abilities_that_it_stands_for(folder: Path) -> None:
    (folder / "abilities/registry.toml").unlink()
    (folder / "program.py").touch()
    assert completed("call", "get_callback") == ["get_callback_data"]
    assert completed("call", "invoke_sync") == ["invoke_sync_msg"]


@pytest.mark.parametrize(
    "text", ["[abilities", "abilities = 3", "[passthrough]\nprefix = 3", "[func]\nprefix = 'x'\napis = [3]"]
)
def test_a_faulty_registry_file_completes_nothing_and_shows_no_error(folder: Path, text: str) -> None:
    assert "chat_digest" in completed("call", "")
    write_files(folder, {"abilities/registry.toml": text})
    assert completed("call", "") == []


def test_a_faulty_settings_file_or_variable_shows_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(folder, {"wwspec.toml": "[serve]\nport = -1\n"})
    monkeypatch.setenv("WWSPEC_STORE_FILE", str(folder / "none"))
    monkeypatch.setenv("WWSPEC_STORE", "memory:")
    monkeypatch.setenv("WWSPEC_PORT", "many")
    assert completed("serve", "--gra") == ["--grace"]
    assert completed("call", "") == []


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_its_script_and_is_answered(folder: Path, shell: str) -> None:
    script = CliRunner().invoke(main, ["completion", shell])
    assert (script.exit_code, script.stderr) == (0, "")
    assert f"_WWSPEC_COMPLETE={shell}_complete" in script.stdout
    words = {"COMP_WORDS": "wwspec call chat", "COMP_CWORD": "chat" if shell == "fish" else "2"}
    done = CliRunner().invoke(main, [], prog_name="wwspec", env={**words, "_WWSPEC_COMPLETE": f"{shell}_complete"})
    assert done.exit_code == 0
    assert "chat_digest" in done.stdout


def test_people_groups_and_entries_are_those_of_the_emulator(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(create_app(EmulatorSettings())) as url, EmulatorClient(url) as client:
        client.receive_events()
        info = client.info()
        assert completed("zone", "show", "--url", url, "") == ["1"]
        monkeypatch.setenv("WWSPEC_EMULATOR_URL", url)
        assert completed("zone", "say", "lin") == [each for each in info["employees"] if each.startswith("lin")] != []
        everybody = {*info["employees"], *info["customers"], *info["robots"]}
        assert {*completed("zone", "say", "lina", "hello", "--to", "")} == everybody
        assert {*completed("zone", "say", "lina", "hello", "--group", "wr")} == {*info["groups"]}
        for verb in ("show", "test", "replay"):
            assert completed("zone", verb, "") == ["1"]
        monkeypatch.delenv("WWSPEC_EMULATOR_URL")
        with keep_note(folder, DevNote(url, "")):
            assert completed("zone", "show", "") == ["1"]
    for url in ("http://127.0.0.1:1", "no URL", "file:///etc"):
        monkeypatch.setenv("WWSPEC_EMULATOR_URL", url)
        assert completed("zone", "show", "") == []
        assert completed("zone", "say", "") == []


def test_after_an_at_sign_saved_requests_are_completed(folder: Path) -> None:
    write_files(folder, {"requests/chat_digest.big.json": "{}", "requests/invoke_sync_msg.first.json": "{}"})
    assert completed("call", "@") == ["@big", "@first"]
    assert completed("call", "chat_digest", "@") == ["@big"]
