"""Which process is held for which start."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.processes import children
from tests.support.skips import only_where
from wwspec_devtools.cli.dev_program import DevelopedProgram, Start, machine_places
from wwspec_devtools.emulator.http.client import EmulatorClient
from wwspec_devtools.testing.ports import held_ports
from wwspec_router.config import registry_path


def test_a_package_that_is_installed_meanwhile_makes_it_another_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "site-packages"
    packages.mkdir()
    monkeypatch.syspath_prepend(packages)
    before = Start.of(["--version"], {"A": "1"}, ("this",))
    assert Start.of(["--version"], {"A": "1"}, ("this",)) == before
    assert Start.of(["--version"], {"A": "2"}, ("this",)) != before
    os.utime(packages, ns=(1, 1))
    assert Start.of(["--version"], {"A": "1"}, ("this",)) != before


def test_what_the_first_start_needs_begins_beside_the_emulator_and_ends_without_it(tmp_path: Path) -> None:
    only_where(Path("/proc/self/task").exists(), "/proc")
    before = children(os.getpid())
    with held_ports(2) as ports, closing(EmulatorClient(f"http://127.0.0.1:{ports[0]}")) as absent:
        places = machine_places(tmp_path, ports[1:], "memory:")
        program = DevelopedProgram(tmp_path, registry_path(tmp_path), places, [], {}, absent, in_terminal=False)
        program.prepare()
        reading_and_serving = 2
        assert len(children(os.getpid()) - before) == reading_and_serving
        program.close(1.0)
    assert children(os.getpid()) == before
