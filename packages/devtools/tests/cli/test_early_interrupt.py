"""Ctrl-C while a verb still imports its modules."""

import signal
import subprocess
import sys

from tests.support.tables import for_each


@for_each(
    [
        ("dev", "click.core"),
        ("dev", "wwspec_devtools.cli.dev_program"),
        ("emulate --port=0", "starlette.routing"),
        ("demo", "wwspec_devtools.cli.dev_banner"),
        ("serve", "wwspec_router.config"),
    ]
)
def test_ctrl_c_in_the_first_second_prints_nothing(verb: str, imported: str) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "wwspec_router", *verb.split()]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any(line.endswith(f" {imported}\n") for line in process.stderr)
        process.send_signal(signal.SIGINT)
        said = [line for line in process.stderr if not line.startswith("import time:")]
    assert said == []
