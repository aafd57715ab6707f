"""`python -m torture`: the runs by name, one line of JSON each on standard output."""

import signal
import sys
import time
from functools import partial

import click
import msgspec

from torture import app, failover, fuzz, intruder, kills, native, overload, redis, service, soak
from torture.progress import say
from torture.result import Findings, Result, Run

NAMES = ("kills", "redis", "failover", "overload", "intruder", "app", "soak", "fuzz", "native")
STORES = ("sqlite", "redis")


def runs(
    stores: tuple[str, ...],
    count: int | None,
    messages: int | None,
    texts: int | None,
    seconds: float | None,
    *,
    of_service: bool,
) -> dict[str, Run]:
    """Return every run by its name.

    Args:
        stores: Which stores `kills` works on.
        count: How many kills: of `kills` for each store, and of `app`; None leaves it to the run.
        messages: How many messages are said in `app`; None leaves it to the run.
        texts: How many texts are tried in `native`; None leaves it to the run.
        seconds: How long `soak` and `intruder` last, and the texts of `native` at most; None leaves it to the run.
        of_service: Whether `app` is about the example of a provider's app.
    """
    example = service if of_service else app
    return {
        "kills": partial(kills.run, stores=stores, count=count),
        "redis": redis.run,
        "failover": failover.run,
        "overload": overload.run,
        "intruder": partial(intruder.run, seconds=seconds),
        "app": partial(example.run, count=count, messages=messages),
        "soak": partial(soak.run, seconds=seconds),
        "fuzz": fuzz.run,
        "native": partial(native.run, texts=texts, seconds=seconds),
    }


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES), metavar="[RUN]...")
@click.option("--quick", is_flag=True, help="Seconds instead of minutes: shows that a run works.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same choices.")
@click.option("--store", type=click.Choice(STORES), help="Of `kills`.  [default: one after the other]")
@click.option(
    "--kills",
    "count",
    type=click.IntRange(1),
    help="Of `kills`, for each store, and of `app`.  [default: 200 and 100, or 6 and 5 when quick; --service: 200, 6]",
)
@click.option(
    "--messages",
    type=click.IntRange(1),
    help="Of `app`.  [default: 10000, or 300 when quick; --service: 30000, 450]",
)
@click.option("--service", "of_service", is_flag=True, help="Let `app` be that of a provider, which three corps have.")
@click.option("--texts", type=click.IntRange(1), help="Of `native`.  [default: 10000000, or 20000 when quick]")
@click.option(
    "--seconds",
    type=click.FloatRange(1),
    help="Of `soak`.  [default: 600, or 10 when quick]  Of `intruder`.  [default: 60, or 5 when quick]  "
    "Of `native`, at most.  [default: 3600]",
)
def main(
    names: tuple[str, ...],
    quick: bool,
    seed: int,
    store: str | None,
    count: int | None,
    messages: int | None,
    of_service: bool,
    texts: int | None,
    seconds: float | None,
) -> None:
    """Torture the program: kills, redis, failover, overload, intruder, soak, fuzz, native; without a name all of them.

    One more, app, tortures the example of an enterprise app; with --service, that of a provider's app. Each run prints
    one line of JSON; progress goes to standard error. Exit code 1 when a run failed.
    """
    signal.signal(signal.SIGTERM, _end)
    table = runs((store,) if store else STORES, count, messages, texts, seconds, of_service=of_service)
    passed = True
    for name in names or table:
        say(f"== {name}")
        result = _run(name, table[name], seed, quick)
        passed = passed and result.passed
        click.echo(msgspec.json.encode(result).decode())
    sys.exit(0 if passed else 1)


def _end(number: int, frame: object) -> None:
    """End as on an error, so that nothing is left running."""
    sys.exit(128 + number)


def _run(name: str, run: Run, seed: int, quick: bool) -> Result:
    began = time.monotonic()
    try:
        found = run(seed, quick)
    except Exception as error:  # one run that breaks down must not hide the others
        found = Findings(figures={}, failures=[f"the run itself broke down: {type(error).__name__}: {error}"[:500]])
        sys.excepthook(type(error), error, error.__traceback__)
    return Result(
        run=name,
        passed=not found.failures,
        seconds=round(time.monotonic() - began, 1),
        seed=seed,
        figures=found.figures,
        failures=found.failures,
    )


if __name__ == "__main__":
    main()
