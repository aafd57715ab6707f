"""How long does it take, and how much memory, to page through 100,000 messages with `invoke_sync_msg`?

`python -m benchmarks.bench_paging [--messages N]` serves the reference program and the emulator as processes, pages to
the end with 1,000 messages a call, and prints one JSON object: messages, pages, seconds, and the peak resident memory
of both processes in MiB.
"""

import argparse
import re
import time
from pathlib import Path

import msgspec

from wwspec_router.testing.zone import Zone

ROOT = Path(__file__).parents[1]
PAGE = 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    options = parser.parse_args()
    with Zone.serve(ROOT, emulate=["--messages", str(options.messages)]) as zone:
        event = zone.fire("conversation_new_message")["event"]
        request = {"token": event["conversation_new_message"]["token"], "limit": PAGE}
        seen: set[str] = set()
        pages, has_more, begun = 0, True, time.perf_counter()
        while has_more:
            reply = zone.call("invoke_sync_msg", request).reply
            seen.update(message["msgid"] for message in reply["msg_list"])
            pages, has_more, request["cursor"] = pages + 1, bool(reply["has_more"]), reply["next_cursor"]
        result = {
            "messages": len(seen),
            "pages": pages,
            "seconds": round(time.perf_counter() - begun, 2),
            "program_peak_mib": peak(zone.program.process.pid),
            "emulator_peak_mib": peak(zone.emulator.process.pid),
        }
    print(msgspec.json.encode(result).decode())


def peak(pid: int) -> float:
    """Return a process's peak resident memory in MiB."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return round(int(found[1]) / 1024, 1) if found else 0.0


if __name__ == "__main__":
    main()
