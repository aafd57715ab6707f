"""Conversations over HTTP with an emulator, a file each: requests, and below each one what it answers.

The first line has settings. What is random is a dot in the answers, and a `$name` in a request is the latest text of
that name in an answer, or in the query of the address that a browser is sent to.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.emulator.conftest import StartEmulator
from tests.support.emulator import Emulator
from tests.support.handed_out import without_ids

FILES = sorted(Path(__file__).with_name("conversations").glob("*.txt"))
CALLER = {"ww-corpid": "wwemulator00000001", "ww-agentid": "1000002"}
RANDOM = re.compile(
    r'"(?:offset_ms|duration_ms|since_ms|bytes)":[\d.]+|"(?:request|reply)_headers":\[.*?\]\]|"raw":{.*?}|"session":"\w+"'
    r"|[\w+/=-]{80,}|(?<=ticket-)[0-9a-f]{32}"
)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_emulator_answers_as_it_did(file: Path, start_with_program: StartEmulator, tmp_path: Path) -> None:
    first, *rest = file.read_text("utf-8").splitlines()
    emulator = start_with_program(**json.loads(first))
    known: dict[str, str] = {}
    said = [each for line in rest if line.startswith("> ") for each in (line, answered(emulator, line, known))]
    found = tmp_path / file.name
    found.write_text("\n".join([first, *said]) + "\n", "utf-8")
    assert found.read_text("utf-8") == file.read_text("utf-8"), f"if this is right, copy {found} there"


def answered(emulator: Emulator, line: str, known: dict[str, str]) -> str:
    method, path, *body = Template(line[2:]).safe_substitute(known).split(" ", 2)
    response = emulator.http.request(method, path, content="".join(body), headers=CALLER)
    answer: Any = {"location": response.headers.get("location"), "text": response.text}
    known |= parse_qsl(urlsplit(answer["location"] or "").query)
    if response.headers.get("content-type") == "application/json":
        answer = response.json()
    known |= texts_of(answer)
    shown = RANDOM.sub(".", without_ids(answer))
    for url, name in ((emulator.url, "EMULATOR"), (emulator.settings.program_url, "PROGRAM")):
        shown = shown.replace(url, name)
    return shown if response.status_code == 200 else f"{response.status_code} {shown}"


def texts_of(value: Any) -> Iterator[tuple[str, str]]:
    """Yield the names and texts in an answer, the inner ones too."""
    if isinstance(value, dict):
        yield from ((name, each) for name, each in value.items() if isinstance(each, str))
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts_of(each)
