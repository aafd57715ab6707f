"""`wwspec call @NAME`: requests that are saved as files of the application."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.apps import write_files
from wwspec_contracts.input_files import MOST_BYTES
from wwspec_devtools.testing.zone import Zone

Call = Callable[..., "subprocess.CompletedProcess[str]"]

FILES = {
    "requests/chat_digest.three.json": '{"limit": 3}\n',
    "requests/chat_digest.both.json": '{"limit": 2}\n',
    "requests/group_overview.both.json": "{}\n",
    "requests/chat_digest.broken.json": '{"limit": 3,\n  limit: 4}\n',
    "requests/chat_digest.cut.json": '{"limit": 3',
    "requests/two words.json": "{}",
    "requests/invoke_a.b.dotted.json": "{}",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path / "shop", FILES)


@pytest.fixture
def call(run: Run, zone: Zone, folder: Path) -> Call:
    return lambda *words, **options: run("call", *words, "--url", zone.client.url, **{"cwd": folder, **options})


def test_a_saved_request_is_sent_unless_a_file_or_another_has_its_name(
    call: Call, folder: Path, tmp_path: Path
) -> None:
    elsewhere = {"cwd": tmp_path, "environment": {"WWSPEC_APP": str(folder)}}
    for done in (call("@three"), call("chat_digest", "@three"), call("@three", **elsewhere)):
        assert (done.returncode, json.loads(done.stdout)["messages"]) == (0, 3), done.stderr
    (folder / "three").write_text('{"limit": 1}')
    assert json.loads(call("chat_digest", "@three").stdout)["messages"] == 1
    done = call("@both")
    assert done.returncode == 2
    assert "both is saved for chat_digest and group_overview: put the ability before @both" in done.stderr
    assert json.loads(call("chat_digest", "@both").stdout)["messages"] == 2


@pytest.mark.parametrize(
    "words, message",
    [
        (("@thre",), "there is no saved request thre, no file requests/<ability ID>.thre.json; did you mean three?"),
        (("chat_digest", "@thre"), "no file requests/chat_digest.thre.json; did you mean three?"),
        (("@zzz",), "no file requests/<ability ID>.zzz.json; saved are both, broken, cut, dotted, three"),
        (("zzz", "@zzz"), "no file requests/zzz.zzz.json; nothing is saved"),
        (("group_overview", "@three"), "three is saved for chat_digest, not for group_overview"),
        (("@broken",), "requests/chat_digest.broken.json: is not JSON: line 2, column 3: "),
        (("@cut",), "requests/chat_digest.cut.json: is not JSON: line 1, column 12: "),
        (("@three", "{}"), "@three is a saved request: name no other beside it"),
        (("chat_digest", "@no/such.json"), "no/such.json: can't be read: No such file or directory"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_place(call: Call, words: tuple[str, ...], message: str) -> None:
    done = call(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_links_and_large_files_are_not_read(call: Call, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}")
    (folder / "requests/chat_digest.link.json").symlink_to(tmp_path / "secret.json")
    assert "there is no saved request link" in call("@link").stderr
    (folder / "requests/chat_digest.large.json").write_text(" " * MOST_BYTES + "{}")
    assert "chat_digest.large.json: has more than 4 MiB" in call("@large").stderr
