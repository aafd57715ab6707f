"""The package as `pip install wwspec-router` leaves it, without any extra: what works, and what the rest says."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.packaging.conftest import run
from tests.support.apps import write_files
from wwspec_router.cli.main import VERBS, main
from wwspec_router.host.extras import MODULES

pytestmark = pytest.mark.slow  # makes a virtual environment

NEEDS_EMULATOR = {
    "call": ("sync_msg",),
    "demo": (),
    "dev": (),
    "emulate": (),
    "fire": ("hit_keyword",),
    "forget": ("ww1",),
    "job": ("list",),
    "shapes": ("compare", "shapes.json"),
    "task": ("job_1",),
    "zone": ("info",),
}
"""The verbs that need the extra `emulator`, with arguments that are right."""
WORKS = {
    "abilities": (),
    "check": (),
    "completion": ("bash",),
    "config": (),
    "contracts": ("get_group_chat",),
    "new": ("shop",),
}
"""The verbs that need no extra."""
HINT = "needs the extra emulator (Crypto, httpx, pathspec, python_multipart, sse_starlette, watchfiles not found)"

NEEDS_CLIENT = {"app": ("check",), "keys": ("list",)}
"""The verbs that need the extra `client`."""
HINT_OF_CLIENT = "needs the extra client (Crypto, httpx not found): pip install 'wwspec-router[client]'"

HINT_OF_FUZZ = "wwspec fuzz needs the extra testing ("

REGISTRY = {"abilities/registry.toml": '[abilities.get_group_chat]\napi = "get_group_chat"\n'}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An application."""
    return write_files(tmp_path, REGISTRY)


def all_commands() -> list[tuple[str, ...]]:
    """Every verb, and every command below one."""
    found: list[tuple[str, ...]] = [()]
    for verb in VERBS:
        found.append((verb,))
        command = main.get_command(click.Context(main), verb)
        if isinstance(command, click.Group):
            found += [(verb, name) for name in command.commands]
    return found


def wwspec(bare: Path, env: dict[str, str], folder: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [bare / "wwspec", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=600, check=False)


def test_the_environment_has_no_extra(bare: Path, clean_env: dict[str, str]) -> None:
    code = (
        "from importlib.util import find_spec; from wwspec_router.host.extras import MODULES\n"
        "print(sorted({name for names in MODULES.values() for name in names if find_spec(name)}))"
    )
    assert run(bare / "python", "-c", code, cwd=Path("/"), env=clean_env) == "['h11', 'pytest']\n"  # uvicorn needs h11


def test_help_of_every_verb_works(bare: Path, clean_env: dict[str, str], folder: Path) -> None:
    """One process for all of them, since each start costs 0.2 s."""
    code = (
        "import sys; from click.testing import CliRunner; from wwspec_router.cli.main import main\n"
        "for verb in sys.argv[1:]:\n"
        "    done = CliRunner().invoke(main, [*verb.split(), '--help'])\n"
        "    print(verb, done.exit_code, done.output.partition(' [')[0].replace(chr(10), ' '))"
    )
    verbs = [" ".join(each) for each in all_commands()]
    shown = run(bare / "python", "-c", code, *verbs, cwd=folder, env=clean_env).splitlines()
    assert [line.partition(" 0 Usage: ")[0] for line in shown] == verbs


def test_every_verb_is_tried_here() -> None:
    assert {*NEEDS_EMULATOR, *NEEDS_CLIENT, *WORKS, "doctor", "fuzz", "image", "metrics", "serve"} == set(VERBS)


def test_fuzz_names_the_extra_that_it_needs(bare: Path, clean_env: dict[str, str], folder: Path) -> None:
    done = wwspec(bare, clean_env, folder, "fuzz")
    assert done.returncode == 2
    assert HINT_OF_FUZZ in done.stderr


def test_metrics_names_the_extra_that_it_needs(bare: Path, clean_env: dict[str, str], folder: Path) -> None:
    done = wwspec(bare, clean_env, folder, "metrics")
    assert done.returncode == 2
    assert "wwspec metrics needs the extra metrics (Crypto, httpx, prometheus_client not found)" in done.stderr


@pytest.mark.parametrize("verb", NEEDS_EMULATOR)
def test_a_verb_without_its_extra_says_how_to_install_it(
    verb: str, bare: Path, clean_env: dict[str, str], folder: Path
) -> None:
    done = wwspec(bare, clean_env, folder, verb, *NEEDS_EMULATOR[verb])
    path = " ".join(("wwspec", verb, *(NEEDS_EMULATOR[verb][:1] if verb in ("job", "shapes", "zone") else ())))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"Error: {path} {HINT}: pip install 'wwspec-router[emulator]'\n"


@pytest.mark.parametrize("verb", NEEDS_CLIENT)
def test_a_verb_of_the_app_without_its_extra_says_how_to_install_it(
    verb: str, bare: Path, clean_env: dict[str, str], folder: Path
) -> None:
    done = wwspec(bare, clean_env, folder, verb, *NEEDS_CLIENT[verb])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"Error: wwspec {verb} {NEEDS_CLIENT[verb][0]} {HINT_OF_CLIENT}\n"


@pytest.mark.parametrize("verb", WORKS)
def test_a_verb_that_needs_no_extra_works(verb: str, bare: Path, clean_env: dict[str, str], folder: Path) -> None:
    done = wwspec(bare, clean_env, folder, verb, *WORKS[verb])
    assert (done.returncode, done.stderr) == (0, "")


def test_doctor_names_the_extras_that_are_missing(bare: Path, clean_env: dict[str, str], folder: Path) -> None:
    done = wwspec(bare, clean_env, folder, "doctor")
    lines = [line for line in done.stdout.splitlines() if line.split()[1] == "extra"]
    assert (done.returncode, done.stderr) == (1, "")
    assert [line.split()[0] for line in lines] == ["prod", "fix", "fix"]
    for line, extra in zip(lines, ("zone", "emulator", "testing"), strict=True):
        assert line.endswith(f"pip install 'wwspec-router[{extra}]'")


def test_pip_adds_an_extra_to_the_framework_that_is_installed_and_asks_no_index_for_it(
    installed: Path, clean_env: dict[str, str]
) -> None:
    """What the messages say works while no index has the framework; what an extra adds is installed here already."""
    pip = (sys.executable, "-m", "pip", "--python", installed / "python", "install", "--no-index", "--dry-run")
    for extra in MODULES:
        run(*pip, f"wwspec-router[{extra}]", env=clean_env)


def test_serve_without_the_extra_zone_says_how_to_install_it(
    bare: Path, clean_env: dict[str, str], folder: Path
) -> None:
    done = wwspec(bare, clean_env, folder, "serve", "--sdk", "emulator", "--port", "0")
    assert done.returncode == 2
    assert done.stdout + done.stderr == (
        "Error: wwspec serve --sdk emulator needs the extra zone (Crypto not found): "
        "pip install 'wwspec-router[zone]'\n"
    )


def test_serve_over_redis_without_its_extra_says_how_to_install_it(
    bare: Path, clean_env: dict[str, str], folder: Path
) -> None:
    write_files(folder, {"sdk/wwspecapisdk.py": "def __getattr__(name): return object"})
    env = {**clean_env, "PYTHONPATH": str(folder / "sdk")}
    done = wwspec(bare, env, folder, "serve", "--store", "redis://127.0.0.1:1/0", "--port", "0")
    assert "Traceback" not in done.stdout + done.stderr
    assert "pip install 'wwspec-router[redis]'" in done.stdout + done.stderr
    assert done.returncode != 0


def test_pytest_runs_beside_the_plugin_without_the_extra_testing(
    bare: Path, clean_env: dict[str, str], folder: Path
) -> None:
    write_files(folder, {"tests/test_own.py": "def test_own():\n    assert True\n"})
    assert "1 passed" in run(bare / "python", "-m", "pytest", "-q", "tests", cwd=folder, env=clean_env)


def test_the_fixture_without_its_extra_says_how_to_install_it(
    bare: Path, clean_env: dict[str, str], folder: Path
) -> None:
    write_files(folder, {"tests/test_own.py": "def test_own(zone):\n    assert zone\n"})
    command = (bare / "python", "-m", "pytest", "-q", "tests")
    done = subprocess.run(command, cwd=folder, env=clean_env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    assert "another exception" not in done.stdout
    assert "pip install 'wwspec-router[testing]'" in done.stdout
