"""The packages as pip leaves them without any extra: what works, and what the rest says."""

import sys
from pathlib import Path

import click
import pytest

from tests.packaging.conftest import Bare, run
from tests.support.apps import write_files
from tests.support.command import Done
from tests.support.processes import finished
from wwspec_contracts.extras import MODULES
from wwspec_router.cli.main import OWN, VERBS, main

pytestmark = pytest.mark.slow  # makes virtual environments

WORKS = ("abilities", "check", "completion bash", "config", "contracts get_group_chat", "new shop")
"""Verbs that need neither an extra nor a program that runs."""
NEEDS = {"fuzz": ("testing", "hypothesis"), "metrics": ("metrics", "prometheus_client")}
"""Verbs that need an extra, with what it would bring."""
DEVTOOLS = "needs wwspec-devtools, which is not installed: install its wheel, or packages/devtools of the clone"

REGISTRY = {"abilities/registry.toml": '[abilities.get_group_chat]\napi = "get_group_chat"\n'}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path, REGISTRY)


def all_commands(*verbs: str) -> list[str]:
    found = []
    for verb in verbs:
        found.append(verb)
        command = main.get_command(click.Context(main), verb)
        if isinstance(command, click.Group):
            found += [f"{verb} {name}" for name in command.commands]
    return found


def wwspec(bin_folder: Path, env: dict[str, str], folder: Path, *arguments: str | Path) -> Done:
    """Run the command of an environment; that of devtools is what a developer has who left the extra `dev` out."""
    return finished(bin_folder / "wwspec", *arguments, cwd=folder, env=env)


@pytest.mark.parametrize(
    ("room", "found"), [("router", "[]"), ("devtools", "['Crypto', 'pytest']"), ("client", "['Crypto']")]
)
def test_an_environment_has_no_extra(room: str, found: str, bare: Bare, clean_env: dict[str, str]) -> None:
    """Every one has pytest; pycryptodome is what an app and a developer need in any case."""
    code = (
        "from importlib.util import find_spec; from wwspec_contracts.extras import MODULES\n"
        f"extras = {{**MODULES['wwspec-router'], **MODULES.get('wwspec-{room}', {{}})}}\n"
        "print(sorted({name for names in extras.values() for name in names if find_spec(name)}))"
    )
    assert run(bare(room) / "python", "-c", code, cwd=Path("/"), env=clean_env) == f"{found}\n"


@pytest.mark.parametrize(("room", "verbs"), [("router", OWN), ("devtools", tuple(VERBS))])
def test_help_of_every_verb_works(
    room: str, verbs: tuple[str, ...], bare: Bare, clean_env: dict[str, str], folder: Path
) -> None:
    """One process for all of them, since each start costs 0.2 s."""
    code = (
        "import sys; from click.testing import CliRunner; from wwspec_router.cli.main import main\n"
        "for verb in sys.argv[1:]:\n"
        "    done = CliRunner().invoke(main, [*verb.split(), '--help'])\n"
        "    print(verb, done.exit_code, done.output.partition(' [')[0].replace(chr(10), ' '))"
    )
    commands = ["", *all_commands(*verbs)]
    shown = run(bare(room) / "python", "-c", code, *commands, cwd=folder, env=clean_env).splitlines()
    assert [line.partition(" 0 Usage: ")[0] for line in shown] == commands


def test_a_verb_of_the_tools_says_in_the_zone_what_it_needs(
    bare: Bare, clean_env: dict[str, str], folder: Path
) -> None:
    done = wwspec(bare("router"), clean_env, folder, "abilities")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"Error: wwspec abilities {DEVTOOLS}")
    assert wwspec(bare("router"), clean_env, folder, "config").returncode == 0


@pytest.mark.parametrize("verb", NEEDS)
def test_a_verb_without_its_extra_says_how_to_install_it(
    verb: str, bare: Bare, clean_env: dict[str, str], folder: Path
) -> None:
    extra, lacks = NEEDS[verb]
    done = wwspec(bare("devtools"), clean_env, folder, verb)
    said = f"wwspec {verb} needs the extra {extra} ({lacks} not found): pip install 'wwspec-devtools[{extra}]'"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"Error: {said}\n")


@pytest.mark.parametrize("verb", WORKS)
def test_a_verb_that_needs_no_extra_works(verb: str, bare: Bare, clean_env: dict[str, str], folder: Path) -> None:
    done = wwspec(bare("devtools"), clean_env, folder, *verb.split())
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("room", "extras"),
    [("router", {"wwspec-router[zone]": "prod"}), ("devtools", {"wwspec-devtools[testing]": "fix"})],
)
def test_doctor_names_the_extras_that_are_missing(
    room: str, extras: dict[str, str], bare: Bare, clean_env: dict[str, str], folder: Path
) -> None:
    done = wwspec(bare(room), clean_env, folder, "doctor")
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    named = {text.rpartition("pip install ")[2].strip("'"): state for state, name, text in lines if name == "extra"}
    assert done.stderr == ""
    assert {extra: state for extra, state in named.items() if state != "ok"} == extras


def test_pip_adds_an_extra_to_what_is_installed_and_asks_no_index_for_it(
    installed: Path, clean_env: dict[str, str]
) -> None:
    """What the messages say works while no index has our packages; what an extra adds is installed here already."""
    pip = (sys.executable, "-m", "pip", "--python", installed / "python", "install", "--no-index", "--dry-run")
    for package, extras in MODULES.items():
        for extra in extras:
            run(*pip, f"{package}[{extra}]", env=clean_env)


def test_serve_over_the_emulator_s_sdk_says_what_it_needs(bare: Bare, clean_env: dict[str, str], folder: Path) -> None:
    arguments = ("serve", "--sdk", "emulator", "--port", "0")
    done = wwspec(bare("router"), clean_env, folder, *arguments)
    assert done.returncode == 2
    assert done.stdout + done.stderr == (
        "Error: wwspec serve --sdk emulator needs the extra zone (Crypto not found): "
        "pip install 'wwspec-router[zone]'\n"
    )
    write_files(folder, {"Crypto/__init__.py": ""})
    done = wwspec(bare("router"), {**clean_env, "PYTHONPATH": str(folder)}, folder, *arguments)
    assert done.returncode == 1
    assert (done.stdout + done.stderr).startswith(f"Error: --sdk emulator {DEVTOOLS}")


def test_serve_over_redis_without_its_extra_says_how_to_install_it(
    bare: Bare, clean_env: dict[str, str], folder: Path
) -> None:
    write_files(folder, {"sdk/wwspecapisdk.py": "def __getattr__(name): return object"})
    env = {**clean_env, "PYTHONPATH": str(folder / "sdk")}
    done = wwspec(bare("router"), env, folder, "serve", "--store", "redis://127.0.0.1:1/0", "--port", "0")
    assert "Traceback" not in done.stdout + done.stderr
    assert "pip install 'wwspec-router[redis]'" in done.stdout + done.stderr
    assert done.returncode != 0


@pytest.mark.parametrize(("module", "extra"), [("archive", "sql"), ("sql", "sql"), ("telemetry", "telemetry")])
def test_a_part_of_the_client_without_its_extra_says_how_to_install_it(
    module: str, extra: str, bare: Bare, clean_env: dict[str, str]
) -> None:
    done = finished(bare("client") / "python", "-c", f"import wwspec_client.{module}", cwd="/", env=clean_env)
    assert done.stderr.endswith(f"pip install 'wwspec-client[{extra}]'\n")


def test_pytest_has_the_fixture_without_the_extra_testing(bare: Bare, clean_env: dict[str, str], folder: Path) -> None:
    """Which brings pytest itself, and what `wwspec fuzz` draws requests with."""
    write_files(folder, {"tests/test_own.py": "def test_own(zone):\n    assert zone\n"})
    assert "1 passed" in run(bare("devtools") / "python", "-m", "pytest", "-q", "tests", cwd=folder, env=clean_env)
