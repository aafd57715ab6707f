"""The command line as a person uses it: a process, its output, its exit code."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from Crypto.PublicKey import RSA

from tests.cli.wecom import Shell
from tests.support.apps import ROOT
from tests.support.command import wwspec, wwspec_anew
from tests.support.rsa_keys import new_rsa_key
from tests.support.zones import serve_zone
from wwspec_devtools.testing.ports import held_ports
from wwspec_devtools.testing.zone import Zone

Ports = tuple[str, str]
"""Of a program and an emulator."""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def run() -> Run:
    """Run `wwspec` with arguments, in the repository's folder."""

    def run(
        *arguments: str, cwd: Path = ROOT, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        anew = any(name.startswith("PYTHON") for name in environment or {})  # an interpreter reads them at its start
        return (wwspec_anew if anew else wwspec)(cwd, *arguments, environment={**os.environ, **(environment or {})})

    return run


@pytest.fixture
def ports() -> Iterator[Ports]:
    """Ports that nobody listens on, and that nobody else can open."""
    with held_ports(2) as (program, emulator):
        yield str(program), str(emulator)


@pytest.fixture(scope="module")
def zone() -> Iterator[Zone]:
    """A zone for the verbs that talk to an emulator."""
    with serve_zone(ROOT) as zone:
        yield zone


@pytest.fixture
def shell(zone: Zone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    """A shell in an empty folder; the zone is as if just started."""
    monkeypatch.setattr(RSA, "generate", new_rsa_key)  # the same in a fifth of the time
    monkeypatch.chdir(tmp_path)
    zone.client.reset()
    yield Shell(zone)
    zone.client.clear_faults()
