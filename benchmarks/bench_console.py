"""Does the console stay quick with 10,000 entries, and what does its open page cost the emulator?

`python -m benchmarks.bench_console [--json] [--quick]`. Chromium, without a window, opens the timeline of an emulator
with the reference program behind it. "First paint" ends when the newest of all entries is in the page. "Scrolling" goes
from the end of the list to its start and back. "Heap" is that of the page's JavaScript after a collection, with all
entries that the emulator keeps, and after twice as many more. "Calls" go through the emulator to the program, whose SDK
calls come back: three entries each. For these the emulator has the first core for itself, and the program, `wrk` and
Chromium share the last. Needs Chromium, `playwright` and `wrk`.
"""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.command import Benchmark, Effort, run
from benchmarks.figures import Samples
from benchmarks.rig import CORES, processor_time
from benchmarks.zones import ROOT
from tests.support.tools import tool
from wwspec_devtools.testing.zone import ServedZone, Zone

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page

CONNECTIONS = 8
ABILITY, REQUEST = "invoke_sync_msg", '{"limit": 1}'
CALLS = "calls through the emulator"
MIB = 1024 * 1024

CHROMIUM_OPTIONS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()

NEWEST_IS_SHOWN = """async (number) => {
    const { record } = await import("/console/record.js");
    const isShown = () =>
        record.rows.has(number) &&
        record.rows.size >= number - record.dropped &&
        [...document.querySelectorAll("virtual-list .row")].some((line) => line.ariaPosInSet === line.ariaSetSize);
    while (!isShown() && performance.now() < 300000) await new Promise(requestAnimationFrame);
    if (!isShown()) throw new Error(`entry ${number} is not shown; ${record.rows.size} entries are there`);
    return performance.now();
}"""
"""Milliseconds since the navigation began, once all entries up to a number are there and the last line is."""

SCROLL = """async (seconds) => {
    const list = document.querySelector("virtual-list");
    const frame = () => new Promise(requestAnimationFrame);
    const far = list.scrollHeight - list.clientHeight;
    const begun = await frame();
    let frames = 0;
    for (let now = begun; now - begun < seconds * 1000; now = await frame()) {
        const way = (now - begun) / (seconds * 1000);
        list.scrollTop = far * Math.abs(1 - 2 * way);
        frames += 1;
    }
    list.scrollTop = list.scrollHeight; // so that the list follows its end again
    return frames / seconds;
}"""
"""Frames a second while the list goes from its end to its start and back."""


def measure(effort: Effort) -> Samples:
    """Measure each round on a new session of the emulator."""
    kept = effort.pick(full=10_000, quick=300)
    samples = Samples("few", entries=kept, connections=CONNECTIONS, seconds_of_a_turn=effort.seconds)
    samples.refer(CALLS, "no page")
    names = {"few": "10 entries", "many": f"{kept:,} entries"}
    samples.settings |= names
    with chromium() as browser, Zone.serve(ROOT) as zone:
        for number in range(effort.rounds):
            calls(samples, zone, browser, effort.seconds, kept, page_first=number % 2 == 1)
            read_list(samples, zone, browser, "few", 10, effort)
            read_list(samples, zone, browser, "many", kept, effort)
    return samples


def calls(samples: Samples, zone: ServedZone, browser: "Browser", seconds: int, kept: int, *, page_first: bool) -> None:
    """Take the rate of calls without the page, and with it, on a record that is full: each entry drops an older one."""
    emulator = zone.emulator.process.pid
    zone.client.reset()
    record(zone, kept)
    pin(os.getpid(), CORES[-1:])
    pin(emulator, CORES[:1])
    for with_page in (page_first, not page_first):
        if with_page:
            with page(browser, zone) as opened:
                shown(opened, zone)
                turn(samples, "page open", zone, seconds)
        else:
            turn(samples, "no page", zone, seconds)
    pin(os.getpid(), CORES)


def turn(samples: Samples, name: str, zone: ServedZone, seconds: int) -> None:
    """Make calls for a while."""
    emulator, before = zone.emulator.process.pid, zone.client.last_number()
    begun = processor_time(emulator)
    rate = load(zone, seconds)
    entries = zone.client.last_number() - before
    samples.add(CALLS, name, "rate", "calls/s", rate)
    samples.add(CALLS, name, "emulator's processor", "µs/entry", (processor_time(emulator) - begun) / entries * 1e6)


def pin(pid: int, cores: list[int]) -> None:
    """Let a process, those that it started, and all of their threads run on these cores."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(OSError):  # it has ended
            os.sched_setaffinity(int(task.name), cores)
            for child in (task / "children").read_text().split():
                pin(int(child), cores)


def read_list(samples: Samples, zone: ServedZone, browser: "Browser", name: str, entries: int, effort: Effort) -> None:
    """Open the page on so many entries, scroll, and let it see twice as many more."""
    zone.client.reset()
    record(zone, entries)
    with page(browser, zone) as opened:
        samples.add("first paint", name, "time", "ms", shown(opened, zone))
        samples.add("scrolling", name, "frames", "1/s", opened.evaluate(SCROLL, effort.seconds))
        devtools = opened.context.new_cdp_session(opened)
        samples.add("heap", name, "used", "MiB", heap(devtools))
        if name == "many":
            record(zone, 2 * entries)
            shown(opened, zone)
            samples.add("heap", f"{name}, and twice as many more", "used", "MiB", heap(devtools))


def shown(opened: "Page", zone: ServedZone) -> float:
    """Wait until the newest entry is in the page; return milliseconds since it was opened."""
    return float(opened.evaluate(NEWEST_IS_SHOWN, zone.client.last_number()))


def heap(devtools: "CDPSession") -> float:
    """Return the MiB of JavaScript that are in use."""
    devtools.send("HeapProfiler.collectGarbage")
    used: float = devtools.send("Runtime.getHeapUsage")["usedSize"]
    return used / MIB


def record(zone: ServedZone, entries: int) -> None:
    """Let so many entries more be recorded, or a few above."""
    until = zone.client.last_number() + entries
    while (left := until - zone.client.last_number()) > 0:
        if left > 300:
            load(zone, 1)
            continue
        for _ in range(-(-left // 3)):
            zone.call(ABILITY, REQUEST)


def load(zone: ServedZone, seconds: int) -> float:
    """Make calls for so many seconds; return how many a second."""
    body = json.dumps({"program_id": "emulator-program", "ability_id": ABILITY, "request_data": REQUEST})
    with zone.app_client() as client:
        url = f"{zone.client.url}/cgi-bin/chatdata/sync_call_program?access_token={client.access_token()}"
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f"wrk.method = 'POST'\nwrk.body = [=[{body}]=]\n")
        script.flush()
        command = [tool("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "20s", "-s", script.name, url]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    if rate is None or float(rate[1]) == 0 or "Non-2xx" in done.stdout:
        raise RuntimeError(f"wrk got no right answers: {done.stdout}")
    return float(rate[1])


@contextmanager
def chromium() -> Iterator["Browser"]:
    """Run Chromium until the block ends."""
    path = tool("chromium")
    from playwright.sync_api import sync_playwright  # only this benchmark needs it

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def page(browser: "Browser", zone: Zone) -> Iterator["Page"]:
    """Open the console until the block ends."""
    context: Any = browser.new_context(viewport={"width": 1280, "height": 800})
    with context:
        opened: Page = context.new_page()
        opened.goto(zone.client.url, wait_until="commit")
        yield opened


BENCHMARK = Benchmark(
    "console",
    "Does the console stay quick with 10,000 entries, and what does its open page cost the emulator?",
    measure,
    rounds=3,
    seconds=4,
)

if __name__ == "__main__":
    run(BENCHMARK)
