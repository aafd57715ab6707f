"""scripts/audit.py: what pip-audit finds in requirement files, with a database on this machine."""

import json
import sys
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.apps import ROOT
from tests.support.emulator import Response, http_server
from tests.support.processes import finished
from tests.support.skips import only_where

pytestmark = pytest.mark.slow  # pip-audit starts four times in a test

AFFECTED = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.11.3"}]}
KNOWN = {
    "id": "PYSEC-2021-66",
    "aliases": ["CVE-2020-28493"],
    "summary": "slow",
    "affected": [{"package": {"name": "jinja2", "ecosystem": "PyPI"}, "ranges": [AFFECTED]}],
}
FOUND = "dev.txt, run.txt: jinja2 2.11.0: PYSEC-2021-66, CVE-2020-28493; fixed in 2.11.3\n"
ACCEPTED = '[[accepted]]\npackage = "{}"\nid = "{}"\nreason = "only we write the templates"\n'


def database(status: int, versions: str) -> AbstractContextManager[str]:
    """Return a service that speaks OSV's API and knows one version with a vulnerability.

    It answers with the status where `versions` is in the version, and with 200 elsewhere; 0 is no answer.
    """

    def osv(headers: list[tuple[str, str]], body: bytes) -> Response:
        asked = json.loads(body)
        code = status if versions in asked["version"] else 200
        if not code:
            raise ConnectionError
        known = (asked["package"]["name"], asked["version"]) == ("jinja2", "2.11.0")
        return code, {}, json.dumps({"vulns": [KNOWN]} if known else {}).encode()

    return http_server(osv)


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    """A folder of locks: one package in two versions and for another system, and nothing accepted."""
    only_where(find_spec("pip_audit") is not None, "scripts/audit has installed pip-audit")
    (tmp_path / "run.txt").write_text('Jinja2==2.11.0 ; sys_platform == "win32" \\\n    --hash=sha256:00\n')
    (tmp_path / "dev.txt").write_text("jinja2==2.11.0 \\\n    --hash=sha256:00\njinja2==3.1.6\nclick==8.1.8\n")
    (tmp_path / "audit.toml").touch()
    return tmp_path


def audit(folder: Path, status: int = 200, versions: str = "") -> tuple[int, str]:
    with database(status, versions) as service:
        done = finished(sys.executable, ROOT / "scripts/audit.py", f"--service={service}/v1/query", folder)
    return done.returncode, done.stdout + done.stderr


def test_a_finding_fails_and_names_its_files(requirements: Path) -> None:
    code, said = audit(requirements)
    assert code == 1
    assert said.startswith(FOUND)
    assert "3 pins, 1 findings, 0 accepted: update the pin" in said


@pytest.mark.parametrize("name", ["PYSEC-2021-66", "CVE-2020-28493"])
def test_a_finding_that_is_listed_by_id_or_alias_passes(requirements: Path, name: str) -> None:
    (requirements / "audit.toml").write_text(ACCEPTED.format("jinja2", name))
    code, said = audit(requirements)
    assert (code, said) == (0, "scripts/audit: 3 pins, 1 findings, 1 accepted: nothing to do\n")


def test_what_is_listed_and_not_found_any_more_is_named_and_accepts_nothing_else(requirements: Path) -> None:
    (requirements / "audit.toml").write_text(
        ACCEPTED.format("jinja2", "PYSEC-1") + ACCEPTED.format("click", "PYSEC-2021-66")
    )
    code, said = audit(requirements)
    assert code == 1
    assert said.startswith(
        f"{FOUND}audit.toml: jinja2, PYSEC-1: not found any more: remove it\n"
        "audit.toml: click, PYSEC-2021-66: not found any more: remove it\n"
    )


@pytest.mark.parametrize(("status", "reason"), [(500, "500 Server Error"), (0, "RemoteDisconnected")])
def test_a_database_that_fails_or_is_away_passes_and_is_named(requirements: Path, status: int, reason: str) -> None:
    code, said = audit(requirements, status)
    assert code == 0
    assert said.startswith("scripts/audit: not all was audited, the database of vulnerabilities can't be reached: ")
    assert reason in said
    assert said.count("\n") == 1


def test_a_finding_fails_also_when_the_database_goes_away_after_it(requirements: Path) -> None:
    (requirements / "audit.toml").write_text(ACCEPTED.format("click", "PYSEC-1"))
    code, said = audit(requirements, 0, "3.1.6")
    assert code == 1
    assert said.startswith(f"{FOUND}scripts/audit: not all was audited, ")
    assert said.count("\n") == 2


@pytest.mark.parametrize(
    "listed",
    ['[[accepted]]\npackage = "jinja2"\nid = "x"\n', ACCEPTED.format("jinja2", " ")]
    + ["[accept]\n", "accepted", "accepted = 1"],
)
def test_a_listed_finding_without_package_id_or_reason_is_refused(requirements: Path, listed: str) -> None:
    (requirements / "audit.toml").write_text(listed)
    code, said = audit(requirements)
    assert code == 2
    assert said.startswith(f"scripts/audit: {requirements / 'audit.toml'}: ")
    assert said.count("\n") == 1


def test_a_pip_audit_that_fails_by_itself_is_no_network_that_is_away(requirements: Path) -> None:
    (requirements / "run.txt").write_text("jinja2==two\n")
    code, said = audit(requirements)
    assert code == 2
    assert said.startswith("scripts/audit: pip-audit: ")
    assert said.count("\n") == 1
