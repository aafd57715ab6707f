"""The run `fuzz`: a million generated inputs, by two drivers over the same targets.

* hypothesis writes structured inputs, and makes a failing one small;
* atheris mutates bytes towards code of `wwspec_router` that no input has reached yet.

Each driver works on one target in a process of its own, so that whatever an input does to a process is seen and told.
"""

import base64
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from torture.progress import say
from torture.result import Findings

__all__ = ["INPUTS", "run"]

INPUTS = {
    "hypothesis": {
        "decode": 6_000,
        "exchange": 3_000,
        "dispatch": 6_000,
        "events": 4_000,
        "input": 8_000,
        "output": 6_000,
        "registry": 4_000,
        "examples": 4_000,
        "callbacks": 4_000,
    },
    "atheris": {
        "decode": 80_000,
        "exchange": 55_000,
        "dispatch": 120_000,
        "events": 100_000,
        "input": 190_000,
        "output": 150_000,
        "registry": 110_000,
        "examples": 60_000,
        "callbacks": 100_000,
    },
}
"""How many inputs each driver makes for each target: a million in all."""
QUICK = 500
"""Only one input in so many when quick."""

_ROOT = Path(__file__).parents[1]
_EXECUTED = re.compile(r"stat::number_of_executed_units: (\d+)")
_ERROR = re.compile(r"^\s*([\w.]+(?:Error|Exception|Exit|Interrupt|Group)\b.*)$", re.MULTILINE)
_MISSING = (
    "atheris is not installed: `scripts/torture fuzz` installs requirements/torture.txt, which has it for CPython 3.11 "
    "to 3.13 on Linux on x86_64"
)


def run(seed: int, quick: bool) -> Findings:
    """Feed every target by both drivers; see `torture.result.Run`."""
    failures: list[str] = []
    crashes: list[dict[str, str]] = []
    figures: dict[str, Any] = {"inputs": 0, "crashes": crashes}
    for driver, counts in INPUTS.items():
        if driver == "atheris" and importlib.util.find_spec("atheris") is None:
            failures.append(_MISSING)
            continue
        figures[driver] = {}
        for target, full in counts.items():
            count = max(20, full // QUICK) if quick else full
            done, crash = _fed(driver, target, count, seed)
            say(f"{driver} {target}: {done} inputs{', the last one broke it' if crash else ''}")
            figures[driver][target] = done
            figures["inputs"] += done
            if crash is not None:
                crashes.append({"driver": driver, "target": target, **crash})
                failures.append(f"{driver}, {target}: {crash['error']}; input in base64: {crash['input']}")
            elif done < count:
                failures.append(f"{driver}, {target}: ended after {done} of {count} inputs")
    return Findings(figures=figures, failures=failures)


def _fed(driver: str, target: str, count: int, seed: int) -> tuple[int, dict[str, str] | None]:
    """Return how many inputs a target took, and the error and input that ended it, if any."""
    with TemporaryDirectory(prefix="wwspec-fuzz-") as name:
        folder = Path(name)
        command = [sys.executable, "-m", "torture.fuzz_drivers", driver, target, str(count), str(seed), name]
        environment = {**os.environ, "PYTHONPATH": str(_ROOT), "PYTHONHASHSEED": "0", "TMPDIR": name}
        with (folder / "said").open("wb") as output:
            ended = subprocess.run(  # noqa: S603 - this project's own module
                command, cwd=_ROOT, env=environment, stdout=output, stderr=output, check=False
            )
        said = (folder / "said").read_text(errors="replace")
        found = _EXECUTED.findall(said)
        done = int((folder / "done").read_text()) if (folder / "done").exists() else int(found[-1]) if found else 0
        broke = [path for path in folder.glob("*-*") if path.is_file()]
        if ended.returncode == 0 and not broke:
            return done, None
        errors = _ERROR.findall(said)
        error = errors[-1] if errors else f"exit code {ended.returncode}: {said.strip()[-300:]}"
        # `crash-small` is what the fuzzer's own file was made smaller to; after a time-out there is only that one.
        smallest = min((path.read_bytes() for path in broke), key=len, default=b"")
        return done, {"error": error[:400], "input": base64.b64encode(smallest).decode()}
