"""The application's own settings in a zone: from its wwspec.toml, the environment, and the test."""

from pathlib import Path

import pytest

from tests.support.apps import python_anew, write_files
from tests.support.zones import serve_zone

APPLICATION = """
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from wwspec_router import Context, Contract, Output, Secret, ability

class Settings(msgspec.Struct, frozen=True):
    url: str
    token: Secret
    retries: int = 3

class Client:
    def __init__(self, settings: Settings) -> None:
        self.opened = f"{settings.url} with {len(settings.token.reveal())}"

@contextmanager
def lifespan(settings: Settings) -> Iterator[Client]:
    yield Client(settings)

class Result(Output):
    text: str = ""

@ability
def show(request: Contract, ctx: Context[Client, Settings]) -> Result:
    print(f"printed {ctx.settings}")
    return Result(text=f"{ctx.state.opened}, {ctx.settings.retries}, {ctx.settings.token}")

@ability
def fail(request: Contract, ctx: Context[Client, Settings]) -> Result:
    raise ValueError(f"failed with {ctx.settings}")
"""
REGISTRY = """
[program]
settings = "abilities.app:Settings"
lifespan = "abilities.app:lifespan"
[abilities.show]
handler = "abilities.app:show"
[abilities.fail]
handler = "abilities.app:fail"
"""
TOML = '[app]\nurl = "https://example.org"\nretries = 5\n'
GIVEN = {"token": "s3cret-of-the-test", "retries": 7}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return write_files(
        tmp_path / "app", {"abilities/registry.toml": REGISTRY, "abilities/app.py": APPLICATION, "wwspec.toml": TOML}
    )


def test_a_served_program_has_them_and_never_shows_a_secret(app: Path) -> None:
    with serve_zone(app, settings=GIVEN) as zone:
        assert zone.call("show").reply["text"] == "https://example.org with 18, 7, ***"
        assert zone.call("fail").errcode == 710660
        shown = zone.program_log() + str([zone.client.entry(each["number"]) for each in zone.client.traffic()])
    assert "printed Settings(url='https://example.org', token=Secret('***'), retries=7)" in shown
    assert "failed with Settings(" in shown
    assert "s3cret" not in shown


def test_a_program_in_the_process_of_the_test_has_them_too(app: Path) -> None:
    program = """
from pathlib import Path
from wwspec_router import Secret
from wwspec_devtools.testing.zone import Zone
with Zone.in_process(Path(sys.argv[1]), settings={"token": Secret("of-the-test")}) as zone:
    print(zone.call("show").reply["text"])
with Zone.in_process(Path(sys.argv[1])) as zone:
    print(zone.call("show").reply["text"])
"""
    said = python_anew(program, app, env={"WWSPEC_APP_TOKEN": "s3cret", "WWSPEC_APP_RETRIES": "9"})
    lines = [line for line in said.splitlines() if line.startswith("https")]
    assert lines == ["https://example.org with 11, 9, ***", "https://example.org with 6, 9, ***"]
