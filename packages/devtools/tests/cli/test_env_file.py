"""`.env` of an application folder counts for `wwspec check`, `doctor` and `call`, and for no program and no test."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.support.apps import write_files
from tests.support.command import pytest_session

APPLICATION = """
import msgspec
from wwspec_router import Contract, Output, Secret, ability

class Settings(msgspec.Struct, kw_only=True):
    url: str
    token: Secret

@ability
def show(request: Contract) -> Output:
    return Output()
"""
REGISTRY = """
[program]
settings = "abilities.app:Settings"
[abilities.show]
handler = "abilities.app:show"
"""
MISSING = (
    "wwspec.toml [app]: missing url: write url = … below [app] in wwspec.toml, or set WWSPEC_APP_URL; "
    "token: set WWSPEC_APP_TOKEN, or name a file that holds it with token-file or WWSPEC_APP_TOKEN_FILE"
)


@pytest.fixture
def app(tmp_path: Path) -> Path:
    image = dict.fromkeys(("Dockerfile", "run.sh"), "") | {".dockerignore": "**/.env\n"}
    env = "WWSPEC_APP_URL=https://example.org\nWWSPEC_APP_TOKEN=s3cret\n"
    files = {"abilities/registry.toml": REGISTRY, "abilities/app.py": APPLICATION, ".env": env, **image}
    return write_files(tmp_path / "app", files)


def test_check_and_call_have_its_variables(run: Run, app: Path) -> None:
    assert run("check", cwd=app).returncode == 0
    (app / ".env").write_text("WWSPEC_APP_URL\n")
    done = run("check", cwd=app)
    assert (done.returncode, ".env:1: is no KEY=VALUE" in done.stderr) == (1, True)
    (app / ".env").write_text("WWSPEC_EMULATOR_URL=http://127.0.0.1:1\n")
    assert "http://127.0.0.1:1" in run("call", "show", cwd=app).stderr


def test_doctor_has_them_and_serve_has_them_not_and_both_say_so(run: Run, app: Path) -> None:
    (line,) = [each for each in run("doctor", cwd=app).stdout.splitlines() if each.split()[1] == "registry"]
    assert line.split(maxsplit=2)[::2] == ["prod", f".env has settings, and `wwspec serve` does not read it: {MISSING}"]
    done = run("serve", "--sdk", "emulator", "--workers", "1", "--port", "0", cwd=app)
    assert done.returncode == 1
    assert any(MISSING in line for line in (done.stdout + done.stderr).splitlines())


def test_the_zone_of_a_test_has_them_not_and_says_so_without_a_traceback(app: Path) -> None:
    write_files(app, {"tests/test_show.py": "def test_show(zone):\n    zone.call('show')\n"})
    done = pytest_session(app)
    said = done.stdout + done.stderr
    assert f"{MISSING}; a zone of a test does not read .env" in said
    assert "Zone.in_process(app, settings=" in said
    assert "wwspec_router/" not in said
