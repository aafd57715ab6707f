"""The model of cores, made of figures that are known."""

from benchmarks.figures import Samples
from benchmarks.scaling import CORES, SIZES, TWO, cores
from scripts.reference.text import Say


def rows(tables: str) -> dict[str, list[str]]:
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in tables.splitlines() if line]
    return {first: rest for first, *rest in lines}


def test_the_tables_say_what_was_measured_and_what_follows() -> None:
    exchange, stores = Samples("limit-1"), Samples("bare")
    for size in SIZES:
        exchange.add(size, "program", "rate", "calls/s", 1000.0)
        exchange.add(f"{size}, free", "program", "rate", "calls/s", 900.0)
        exchange.add(f"{size}, free", TWO, "rate", "calls/s", 1350.0)
    stores.add("event intake, SQLite, threads: 16", "program", "rate", "calls/s", 3500.0)
    stores.add("event intake, Redis, threads: 16", "bare", "rate", "calls/s", 100.0)
    reports = {
        "exchange": exchange.report("exchange", "?", quick=False),
        "stores": stores.report("stores", "?", quick=False),
    }
    found = rows(cores(reports, Say("en")))
    assert found["60 KB"] == ["1,000 µs", "1,000/s", "900/s", "1,350/s", "1.50"]
    assert found["call, 300 KB"][:-1] == [f"{1000 * each:,}" for each in CORES]
    assert found["call, 300 KB"][-1] == "10 Gbit/s, with 3 cores"  # 3.2 Gbit/s each
    assert found["event, SQLite"] == ["1,000", "3,500", "3,500", "3,500", "the file, with 4 cores"]
    assert found["event, Redis"][-1] == "the server, with 1 core"
