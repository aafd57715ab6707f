"""Judges what pip-audit finds in the requirement files: see scripts/audit, which installs it."""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

ROOT = Path(__file__).resolve().parents[1]
PIN = re.compile(r"^([\w.-]+)==([^\s;]+)", re.MULTILINE)
NO_ANSWER = re.compile(r"^(?:requests\.exceptions\.|ERROR:pip_audit\._cli:Could not connect).*", re.MULTILINE)
"""The line of pip-audit that says why the database gave none."""


Text = Annotated[str, msgspec.Meta(pattern=r"\S")]


class Accepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A finding that does not fail."""

    package: Text
    id: Text
    reason: Text


class AcceptedFindings(msgspec.Struct, forbid_unknown_fields=True):
    """The file that lists them."""

    accepted: list[Accepted] = []


class Finding(NamedTuple):
    """What the database knows about a pin."""

    package: str
    version: str
    ids: list[str]
    """The first is the database's own; the others are aliases."""
    fixed_in: list[str]


class AuditError(Exception):
    """The audit can't be made here, for a reason that is not the network."""


def accepted_findings(file: Path) -> list[Accepted]:
    """Return what the file lists."""
    try:
        return msgspec.toml.decode(file.read_bytes(), type=AcceptedFindings).accepted
    except (OSError, ValueError, msgspec.MsgspecError) as error:
        raise AuditError(f"{file}: {error}") from error


def pins_of(folder: Path) -> dict[tuple[str, str], list[str]]:
    """Return the files of each pin, whatever system or Python it is for."""
    pins: dict[tuple[str, str], list[str]] = {}
    for file in sorted(folder.glob("*.txt")):
        for name, version in PIN.findall(file.read_text("utf-8")):
            pins.setdefault((re.sub(r"[-_.]+", "-", name).lower(), version), []).append(file.name)
    if not pins:
        raise AuditError(f"{folder}: no file *.txt there has a pin")
    return pins


def groups_of(pins: dict[tuple[str, str], list[str]]) -> Iterator[str]:
    """Yield requirement files without two versions of one package, which pip-audit refuses."""
    lines: dict[str, list[str]] = {}
    for name, version in pins:
        lines.setdefault(name, []).append(f"{name}=={version}\n")
    for group in zip_longest(*lines.values(), fillvalue=""):
        yield "".join(group)


def findings_in(requirements: str, service: list[str]) -> Iterator[Finding]:
    """Yield what pip-audit finds; a ConnectionError when the database gives no answer."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(requirements)
        file.flush()
        options = ["--requirement", file.name, "--no-deps", "--disable-pip", "--format=json", "--progress-spinner=off"]
        command = [sys.executable, "-m", "pip_audit", "--vulnerability-service=osv", *service, *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout:
        reasons = NO_ANSWER.findall(done.stderr)
        error: type[Exception] = ConnectionError if reasons else AuditError
        raise error("pip-audit: " + ascii((reasons or done.stderr.splitlines() or [""])[-1])[1:-1].replace("\\'", "'"))
    for pin in json.loads(done.stdout)["dependencies"]:
        for found in pin["vulns"]:
            yield Finding(pin["name"], pin["version"], [found["id"], *found["aliases"]], found["fix_versions"])


def ask(pins: dict[tuple[str, str], list[str]], service: list[str]) -> tuple[list[Finding], str]:
    """Return what is found, and why not everything was asked, if that is so."""
    findings: list[Finding] = []
    try:
        for group in groups_of(pins):
            findings += findings_in(group, service)
    except ConnectionError as error:
        return findings, str(error)
    return findings, ""


def accepts(row: Accepted, finding: Finding) -> bool:
    """Whether a row is about a finding."""
    return row.package == finding.package and row.id in finding.ids


def unaccepted(
    findings: list[Finding], accepted: list[Accepted], pins: dict[tuple[str, str], list[str]]
) -> Iterator[str]:
    """Yield a line for each finding that no row accepts."""
    for finding in findings:
        if not any(accepts(row, finding) for row in accepted):
            files = ", ".join(pins[finding.package, finding.version])
            fix = f"fixed in {', '.join(finding.fixed_in)}" if finding.fixed_in else "no version fixes it"
            yield f"{files}: {finding.package} {finding.version}: {', '.join(finding.ids)}; {fix}"


def stale(findings: list[Finding], accepted: list[Accepted]) -> Iterator[str]:
    """Yield a line for each row that no finding needs any more."""
    for row in accepted:
        if not any(accepts(row, finding) for finding in findings):
            yield f"audit.toml: {row.package}, {row.id}: not found any more: remove it"


def main() -> int:
    """Print what was found; the exit code is 1 when something fails, 2 when the audit can't be made."""
    parser = argparse.ArgumentParser(prog="scripts/audit", description=__doc__)
    parser.add_argument("--service", metavar="URL", help="another address that speaks OSV's API")
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "requirements")
    options = parser.parse_args()
    try:
        accepted = accepted_findings(options.folder / "audit.toml")
        pins = pins_of(options.folder)
        findings, reason = ask(pins, [f"--osv-url={options.service}"] if options.service else [])
    except AuditError as error:
        print(f"scripts/audit: {error}", file=sys.stderr)
        return 2
    lines = list(unaccepted(findings, accepted, pins))
    if not reason:
        lines += stale(findings, accepted)
    print(*lines, sep="\n", end="\n" if lines else "")
    if reason:
        print(f"scripts/audit: not all was audited, the database of vulnerabilities can't be reached: {reason}")
    else:
        rest = "update the pin with scripts/lock, or list it with a reason in audit.toml" if lines else "nothing to do"
        print(f"scripts/audit: {len(pins)} pins, {len(findings)} findings, {len(accepted)} accepted: {rest}")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
