"""Which process is held for which start."""

import os
from pathlib import Path

import pytest

from wwspec_devtools.cli.dev_program import Start


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
