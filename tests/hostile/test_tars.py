"""Tars made to harm who looks at them: `wwspec image --check` reads them, and writes nothing."""

import random
import stat
import tarfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.hostile_tars import TRICKS, write_hostile_tar
from wwspec_contracts.errors import ImageError
from wwspec_devtools.image.checks import inspect_tar
from wwspec_router.cli.main import main

TARS = 200


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "victim").write_text("the user's")
    (folder / "victim").chmod(0o600)
    return folder


def everything(folder: Path) -> list[object]:
    found: list[object] = []
    for path in sorted([folder, *folder.rglob("*")]):
        seen = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(seen.st_mode) else b""
        found.append((path, seen.st_mode, seen.st_uid, seen.st_nlink, seen.st_mtime_ns, seen.st_ino, content))
    return found


@pytest.mark.parametrize(
    "trick",
    ["hard link, absolute", "link, absolute", "folder, relative", "hard link through a link", "past PATH_MAX", "names"],
)
def test_the_tars_harm_an_extraction_that_trusts_them(tmp_path: Path, outside: Path, trick: str) -> None:
    """Else the tests below would prove nothing."""
    before = everything(outside)
    with tarfile.open(write_hostile_tar(tmp_path / "hostile.tar", outside, [trick])) as tar:
        tar.extraction_filter = lambda member, path: member
        for member in tar:
            try:
                tar.extract(member, tmp_path / "root")
            except OSError:
                continue
    assert everything(outside) != before


@pytest.mark.parametrize("trick", TRICKS)
def test_a_look_writes_nothing_and_ends_in_lines(tmp_path: Path, outside: Path, trick: str) -> None:
    tar = write_hostile_tar(tmp_path / "hostile.tar", outside, [trick])
    before = everything(tmp_path)
    done = CliRunner().invoke(main, ["image", "--check", str(tar)])
    assert everything(tmp_path) == before
    assert done.exit_code in {0, 1}
    assert isinstance(done.exception, SystemExit | None)
    assert all(line.isprintable() for line in (done.stdout + done.stderr).splitlines())
    assert done.stdout or done.stderr.splitlines()[-1].startswith(f"Error: {tar}: not a tar or tar.gz")


def test_200_tars_with_several_tricks_and_damages_are_read_or_refused(tmp_path: Path, outside: Path) -> None:
    read = 0
    before = everything(outside)
    for seed in range(TARS):
        source = random.Random(seed)  # noqa: S311 - no secret
        tricks = source.sample(sorted(TRICKS), source.choice([1, 1, 2, 3]))
        tar = write_hostile_tar(tmp_path / "hostile.tar", outside, tricks, source)
        try:
            read += bool(inspect_tar(tar).findings)
        except ImageError:
            pass
        assert everything(outside) == before, (seed, tricks)
        assert sorted(each.name for each in tmp_path.iterdir()) == ["hostile.tar", "outside"]
    assert read >= TARS / 5
