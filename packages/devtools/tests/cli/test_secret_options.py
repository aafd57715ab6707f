"""Secrets come from the environment or from files, and no command line shows one."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.apps import ROOT
from tests.support.command import wwspec
from wwspec_router.config import variable

SECRET = "a-secret-of-4f2a"  # noqa: S105 - to be searched for
REDIS = f"redis://user:{SECRET}@127.0.0.1:1/0"
"""Nobody listens there, which the program finds out before it opens its port."""
SECRETS = {
    "serve": {"store": REDIS, "debug-token": SECRET, "access-token": SECRET, "corpsecret": SECRET},
    "dev": {"store": REDIS},
    "emulate": {"callback-token": SECRET, "encoding-aes-key": SECRET},
}
"""The secrets of program and emulator; those of an app are in test_call_wecom.py."""
ROWS = [
    pytest.param(verb, name, value, id=f"{verb} {name}") for verb in SECRETS for name, value in SECRETS[verb].items()
]

SERVE = ("serve", "--sdk", "emulator", "--port", "0")
Start = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def start() -> Start:
    """Run `wwspec` with arguments and an environment of its own; nothing that it prints holds the secret."""

    def start(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("WWSPEC_")} | variables
        done = wwspec(ROOT, *arguments, environment=env)
        assert SECRET not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return start


@pytest.mark.parametrize(("verb", "name", "value"), ROWS)
def test_a_secret_on_the_command_line_is_refused_with_the_name_of_its_variable(
    start: Start, verb: str, name: str, value: str
) -> None:
    """Row 4: a Redis password in `--store` and `--debug-token` were visible in `ps`."""
    for arguments in ((f"--{name}", value), (f"--{name}={value}",)):
        done = start(verb, *arguments)
        assert done.returncode == 2
        assert done.stderr.splitlines()[-1] == (
            f"Error: --{name} would show a secret to every user of this machine: set {variable(name)}, "
            f"or name a file that holds it with --{name}-file or {variable(name)}_FILE"
        )


@pytest.mark.parametrize(("verb", "name", "value"), ROWS)
def test_a_variable_and_its_file_at_once_are_one_clear_error(
    start: Start, tmp_path: Path, verb: str, name: str, value: str
) -> None:
    done = start(verb, **{variable(name): value, f"{variable(name)}_FILE": str(tmp_path / "secret")})
    message = f"Error: {variable(name)} and {variable(name)}_FILE are both set: unset one of them\n"
    assert (done.returncode, done.stderr) == (1, message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "can't be read: No such file or directory"),
        ("", "is empty"),
        ("\n", "is empty"),
        (f"{SECRET}\n{SECRET}\n", "has more than one line"),
        (f"{SECRET}\udcff", "is not text in UTF-8"),
    ],
    ids=["missing", "empty", "an empty line", "two lines", "not UTF-8"],
)
@pytest.mark.parametrize("how", ["--debug-token-file", "WWSPEC_DEBUG_TOKEN_FILE"])
def test_a_file_without_a_secret_is_told_with_its_path_and_who_names_it(
    start: Start, tmp_path: Path, how: str, content: str | None, message: str
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content, errors="surrogateescape")
    done = start("serve", how, str(path)) if how.startswith("--") else start("serve", **{how: str(path)})
    assert (done.returncode, done.stderr) == (1, f"Error: {how}: {path} {message}\n")


@pytest.mark.parametrize("content", [REDIS, f"{REDIS}\n", f"{REDIS}\r\n"], ids=["bare", "a line", "a line of Windows"])
@pytest.mark.parametrize("how", ["--store-file", "WWSPEC_STORE_FILE"])
def test_the_store_is_taken_from_the_file_that_is_named(start: Start, tmp_path: Path, how: str, content: str) -> None:
    """Row 4: of a file's last line the end is dropped."""
    (tmp_path / "url").write_text(content, newline="")
    named = str(tmp_path / "url")
    done = start(*SERVE, how, named) if how.startswith("--") else start(*SERVE, **{how: named})
    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr


def test_an_option_goes_before_the_environment(start: Start, tmp_path: Path) -> None:
    """Row 4: here to a store that worker processes can't share, which is told."""
    memory = tmp_path / "url"
    memory.write_text("memory:\n")
    options = (*SERVE, "--workers", "2")
    for option in (("--store", "memory:"), ("--store-file", str(memory))):
        for name in ("WWSPEC_STORE", "WWSPEC_STORE_FILE"):
            done = start(*options, *option, **{name: REDIS})
            assert "worker processes don't share it" in done.stderr


def test_an_option_and_its_file_are_wrong_usage(start: Start, tmp_path: Path) -> None:
    done = start("serve", "--store", "memory:", "--store-file", str(tmp_path / "url"))
    assert done.returncode == 2
    assert done.stderr.endswith("Error: give one of --store and --store-file\n")


@pytest.mark.parametrize("url", ["sqlite:var/a@b.db", "sqlite:/srv/password/x.db", "redis://127.0.0.1:1/0"])
def test_a_store_without_a_password_may_be_named_on_the_command_line(start: Start, tmp_path: Path, url: str) -> None:
    registry = str(tmp_path / "none.toml")
    done = start(*SERVE, "--registry", registry, "--store", url)
    assert done.returncode == 1
    assert "none.toml: there is no such file" in done.stderr
