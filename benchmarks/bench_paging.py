"""How long does it take, and how much memory, to page through 100,000 messages with `invoke_sync_msg`?

`python -m benchmarks.bench_paging [--json] [--quick]` serves the reference program and the emulator as processes and
pages to the end with 1,000 messages a call. The emulator, which makes up the messages, takes most of the time.
"""

import re
import time
from pathlib import Path

from benchmarks.command import Benchmark, Effort, run
from benchmarks.figures import Samples
from benchmarks.zones import ROOT
from wwspec_devtools.testing.zone import Zone

PAGE = 1000


def measure(effort: Effort) -> Samples:
    """Page to the end, from the start in each round."""
    messages = effort.pick(full=100_000, quick=2_000)
    samples = Samples("emulator", messages=messages, messages_a_page=PAGE)
    for _ in range(effort.rounds):
        with Zone.serve(ROOT, emulate=["--messages", str(messages)]) as zone:
            begun = time.perf_counter()
            seen = page_through(zone)
            seconds = time.perf_counter() - begun
            if seen < messages:
                raise RuntimeError(f"only {seen} of {messages} messages were seen")
            samples.add("all pages", "program and emulator", "time", "s", seconds)
            samples.add("peak", "program", "resident", "MiB", peak(zone.program.process.pid))
            samples.add("peak", "emulator", "resident", "MiB", peak(zone.emulator.process.pid))
    return samples


def page_through(zone: Zone) -> int:
    """Return how many different messages there are."""
    event = zone.fire("conversation_new_message")["event"]
    request = {"token": event["conversation_new_message"]["token"], "limit": PAGE}
    seen: set[str] = set()
    has_more = True
    while has_more:
        reply = zone.call("invoke_sync_msg", request).reply
        seen.update(message["msgid"] for message in reply["msg_list"])
        has_more, request["cursor"] = bool(reply["has_more"]), reply["next_cursor"]
    return len(seen)


def peak(pid: int) -> float:
    """Return a process's peak resident memory in MiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


BENCHMARK = Benchmark(
    "paging", "How long does it take, and how much memory, to page through 100,000 messages?", measure, rounds=3
)

if __name__ == "__main__":
    run(BENCHMARK)
