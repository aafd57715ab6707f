"""What a process has started ends when that process is killed, and nothing else does."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from tests.support.processes import alive
from tests.support.tables import for_each
from tests.support.waiting import wait_until
from wwspec_contracts.support.lifeline import VARIABLE, Guard, given_end, watch

SAYS = "import os, signal; signal.signal(signal.SIGTERM, signal.{}); os.write(1, b'%d %s\\n' % (os.getpid(), {}))"
WAITS = "while True: signal.pause()"
WATCHES = f"""
from wwspec_contracts.support.lifeline import VARIABLE, given_end, watch
watch(given_end())
{SAYS.format("{}", "b'with the variable' if VARIABLE in os.environ else b'watching'")}
{WAITS}
"""
STARTS = f"""
import os, signal, subprocess, sys
from wwspec_contracts.support.lifeline import VARIABLE, reading_end

end = reading_end()
if not os.fork():
    {SAYS.format("SIG_DFL", "b'forked'")}
    {WAITS}
for code in sys.argv[1:]:
    subprocess.Popen([sys.executable, "-c", code], env={{**os.environ, VARIABLE: str(end)}}, pass_fds=[end])
{WAITS}
"""
GUARDS = f"""
import signal, subprocess, sys
from wwspec_contracts.support.lifeline import Guard

with Guard() as guard:
    for code in sys.argv[1:]:
        subprocess.Popen([sys.executable, "-c", code], process_group=guard.group)
    {WAITS}
"""
FORKS = f"""
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
{SAYS.format("{}", "b'guarded'")}
{WAITS}
"""


def killed(code: str, *arguments: str, lines: int) -> list[tuple[str, int]]:
    """Run a process until those that it has started have said so many things, and kill it.

    Returns:
        What each has said, and its process id.
    """
    with subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        said = [starter.stdout.readline().rstrip().split(" ", 1) for _ in range(lines)]
        starter.kill()
    return sorted((text, int(pid)) for pid, text in said)


def test_processes_end_with_the_one_that_has_started_them_though_a_forked_copy_of_it_lives() -> None:
    said = killed(STARTS, WATCHES.format("SIG_DFL"), WATCHES.format("SIG_IGN"), lines=3)
    assert [text for text, _ in said] == ["forked", "watching", "watching"]
    (_, forked), *watching = said
    try:
        wait_until(lambda: not any(alive(pid) for _, pid in watching))
        assert alive(forked)
    finally:
        os.kill(forked, signal.SIGKILL)


def test_programs_and_what_they_have_forked_end_with_the_process_that_guards_them() -> None:
    guarded = killed(GUARDS, FORKS.format("SIG_DFL"), FORKS.format("SIG_IGN"), lines=4)
    assert [text for text, _ in guarded] == ["guarded"] * 4
    wait_until(lambda: not any(alive(pid) for _, pid in guarded))


def test_a_program_goes_on_when_its_guard_is_not_needed_any_more() -> None:
    with (
        Guard() as guard,
        subprocess.Popen([sys.executable, "-c", f"import signal\n{WAITS}"], process_group=guard.group) as process,
    ):
        guard.__exit__()
        process.kill()
    assert process.returncode == -signal.SIGKILL, "no other signal came before"


@for_each(["", "seven", "-1", "4095", "9" * 30])
def test_a_process_that_was_given_no_pipe_watches_nothing(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, value)
    assert given_end() is None
    assert VARIABLE not in os.environ
    before = threading.active_count()
    watch(None)
    assert threading.active_count() == before
